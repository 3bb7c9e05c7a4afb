/** When a value is too old to be taken for the present. The core says it of its sources; this is the window's own limit. */
import { instant } from '../kit/format';
import type { ServiceView, SnapshotView, SourceName, SourceState } from '../host/generated/wire';

/** If the core itself falls silent, everything is stale after this long. */
export const SILENCE_MS = 120_000;

export function sourceOf(snapshot: SnapshotView, name: SourceName): SourceState | undefined {
  return snapshot.sources.find((source) => source.name === name);
}

/** Whether a source's last reading is no longer the present. */
export function isStale(source: SourceState | undefined, now: number): boolean {
  if (source === undefined) return false;
  return source.status !== 'ok' || now - (instant(source.as_of) ?? now) > SILENCE_MS;
}

export function tileIsStale(tile: ServiceView, docker: SourceState | undefined, now: number): boolean {
  return isStale(docker, now) || now - (instant(tile.as_of) ?? now) > SILENCE_MS;
}

/** Why a source can't be relied on, in one sentence; `undefined` when it can. */
export function whyUnknown(source: SourceState | undefined): string | undefined {
  if (source === undefined || source.status === 'ok') return undefined;
  return source.error ?? `${source.name} can't be read`;
}
