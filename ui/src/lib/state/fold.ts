/** What the window knows of the stack, folded from updates. Pure: one state and one update make the next state. */
import type { SnapshotView, TriageView, Update } from '../host/generated/wire';
import { foldRun, type LiveRun } from './run-fold';

export interface Known {
  readonly snapshot: SnapshotView | undefined;
  readonly triage: TriageView | undefined;
  readonly runs: ReadonlyMap<string, LiveRun>;
}

export const NOTHING: Known = { snapshot: undefined, triage: undefined, runs: new Map() };

/** An older or repeated snapshot or ranking changes nothing: the same state comes back. */
export function fold(known: Known, update: Update): Known {
  switch (update.type) {
    case 'snapshot':
      return isNewer(update.snapshot, known.snapshot) ? { ...known, snapshot: update.snapshot } : known;
    case 'triage':
      return isLater(update.triage, known.triage) ? { ...known, triage: update.triage } : known;
    // Lines of the log are the `Log`'s, and what making a bundle says is the `Bundle`'s.
    case 'log':
    case 'bundle':
      return known;
    case 'run': {
      const before = known.runs.get(update.run);
      const after = foldRun(before, update.run, update.event);
      if (after === before) return known;
      return { ...known, runs: new Map(known.runs).set(update.run, after) };
    }
  }
}

/** A run that is about to go on has its events from the start again. */
export function forget(known: Known, run: string): Known {
  const runs = new Map(known.runs);
  return runs.delete(run) ? { ...known, runs } : known;
}

function isNewer(next: SnapshotView, now: SnapshotView | undefined): boolean {
  return now === undefined || next.revision > now.revision;
}

function isLater(next: TriageView, now: TriageView | undefined): boolean {
  return now === undefined || Date.parse(next.taken_at) > Date.parse(now.taken_at);
}
