/** What is asked of a bundle: as the form shows it, as the core is asked. Pure. */
import type { BundleRequest } from '../host/generated/wire';

/** From when on logs are wanted; `sign`: from shortly before the first bad sign. */
export type LogsFrom = 'sign' | '15m' | '1h' | '6h' | '24h';

export interface BundleForm {
  readonly note: string;
  readonly logsFrom: LogsFrom;
  /** The run it is about; empty: none is named. */
  readonly run: string;
  /** Collectors that are left out. */
  readonly without: readonly string[];
}

export const EMPTY_FORM: BundleForm = { note: '', logsFrom: 'sign', run: '', without: [] };

const MINUTE = 60_000;

export const SPANS: readonly { readonly id: LogsFrom; readonly ms?: number; readonly label: string }[] = [
  { id: 'sign', label: 'The first bad sign' },
  { id: '15m', ms: 15 * MINUTE, label: '15 min ago' },
  { id: '1h', ms: 60 * MINUTE, label: '1 h ago' },
  { id: '6h', ms: 360 * MINUTE, label: '6 h ago' },
  { id: '24h', ms: 1440 * MINUTE, label: '24 h ago' },
];

/**
 * What collects, by id, and what each collects: known before the first bundle is made. A preview says it again, and
 * what it says is then what counts.
 */
export const COLLECTORS: Readonly<Record<string, string>> = {
  status: 'services, tenants, threads and payments as numbers',
  triage: "the four questions and every playbook's verdict",
  containers: 'what docker compose ps tells',
  logs: 'the last 200 lines of each log, and the time of the incident',
  tenants: 'each tenant with its parts',
  threads: 'stuck conversations',
  payments: 'payments, stuck ones first',
  journal: 'what this console did',
  git: 'the latest commits, and what changed',
  memos: 'close-out memos that mention what is seen',
  versions: 'what runs, by version',
  profile: 'the profile, without references to secrets',
};

export function requestOfForm({ note, logsFrom, run, without }: BundleForm, now: number): BundleRequest {
  const ms = SPANS.find(({ id }) => id === logsFrom)?.ms;
  return {
    ...(ms === undefined ? {} : { since: new Date(now - ms).toISOString() }),
    ...(run === '' ? {} : { run }),
    ...(note.trim() === '' ? {} : { note }),
    without: [...without],
  };
}
