/** What is remembered of a row, in words: when it was last seen, drilled and repaired. */
import type { PlaybookView, RunbookRow, RunView, Verdict } from '../host/generated/wire';
import type { StatusMark } from '../kit/status';
import { subjectKey, subjectText } from './findings';

export interface Remembered {
  readonly mark?: StatusMark;
  readonly word: string;
  /** A second, smaller line. */
  readonly note?: string;
  /** Its age follows the word. */
  readonly at?: string;
  /** Said in full where there is room. */
  readonly title: string;
  /** It is about the past: neither now, nor still being read. */
  readonly past?: boolean;
}

const UNKNOWN = { mark: 'unknown' as const, word: 'Unknown' };

/** The runbook's own rows, and the extras beside it. */
export function grouped(playbooks: readonly PlaybookView[]): {
  rows: PlaybookView[];
  extras: PlaybookView[];
} {
  return {
    rows: playbooks.filter((one) => typeof one.row === 'number'),
    extras: playbooks.filter((one) => typeof one.row !== 'number'),
  };
}

/** Whom the row is seen about: the first two, and how many more. */
export function subjectsText(verdicts: readonly Verdict[]): string {
  const named = verdicts.filter((one) => subjectKey(one.subject) !== '').map((one) => short(one));
  const distinct = [...new Set(named)];
  const more = distinct.length - 2;
  return distinct.slice(0, 2).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function short({ subject }: Verdict): string {
  return subject.service ?? subject.tenant ?? subject.schema ?? subject.payment ?? subject.thread ?? '';
}

/** When the row was last present or suspected. `seen`: it is, right now. */
export function lastSeen(row: RunbookRow | undefined, error: string | undefined, seen: boolean): Remembered {
  if (seen) return { word: 'Now', title: 'It is seen now.' };
  if (error !== undefined) return { ...UNKNOWN, title: error, past: true };
  if (row === undefined) return { word: '…', title: 'It is being read.' };
  if (row.last_seen === undefined)
    return { word: 'Never', title: 'Never, as far as this console knows.', past: true };
  const { at, verdict, subject } = row.last_seen;
  return { word: '', at, past: true, title: `It was ${verdict} for ${subjectText(subject)}.` };
}

/** What the row's drills have proven. */
export function lastDrilled(row: RunbookRow | undefined, error: string | undefined): Remembered {
  if (error !== undefined) return { ...UNKNOWN, title: error };
  if (row === undefined) return { word: '…', title: 'It is being read.' };
  const { drills, proven, proven_at, proven_commit } = row;
  if (drills.length === 0) return { mark: 'off', word: 'No drill', title: 'No drill causes this fault.' };
  if (drills.every((drill) => drill.at === undefined))
    return { mark: 'off', word: 'Never', title: `None of ${drills.length} drills was run on record.` };
  const failed = drills.filter((drill) => drill.outcome === 'failed').length;
  if (proven < drills.length) {
    const note = failed > 0 ? `${failed} failed` : `${drills.length - proven} not run`;
    return {
      mark: 'warn',
      word: `${proven} of ${drills.length}`,
      note,
      title: `${proven} of ${drills.length} drills are proven; ${note}.`,
    };
  }
  const all = `All ${drills.length} drills were proven, the oldest at commit ${proven_commit ?? 'unknown'}.`;
  if (drills.some((drill) => drill.is_of_another_text))
    return {
      mark: 'warn',
      word: 'Outdated',
      at: proven_at,
      note: 'text changed',
      title: `${all} The playbook is another text since.`,
    };
  return { mark: 'ok', word: 'Proven', at: proven_at, note: (proven_commit ?? '').slice(0, 7), title: all };
}

/** Whether all that a row's drills must prove is proven of its present text. */
export function isProven(row: RunbookRow | undefined): boolean {
  return lastDrilled(row, undefined).mark === 'ok';
}

/** The newest run of a playbook. */
export function lastRun(runs: readonly RunView[] | undefined, playbook: string): RunView | undefined {
  return runs?.find((run) => run.playbook === playbook);
}
