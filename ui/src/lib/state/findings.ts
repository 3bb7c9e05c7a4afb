/** The ranking as the operator reads it: one entry per playbook, and what could not be answered. */
import type { Subject, TriageView, Verdict } from '../host/generated/wire';

export interface Finding {
  /** The playbook's id. */
  readonly playbook: string;
  /** Its best ranked verdict. */
  readonly first: Verdict;
  /** All of them, in rank order: one per subject. */
  readonly verdicts: readonly Verdict[];
}

const SEEN = ['present', 'suspected'];

export function isSeen(verdict: Verdict | undefined): boolean {
  return verdict !== undefined && SEEN.includes(verdict.verdict);
}

/** What is wrong now, in rank order, one entry per playbook. */
export function wrongNow(triage: TriageView): Finding[] {
  const byPlaybook = new Map<string, Verdict[]>();
  const ranked = triage.ranked
    .filter((verdict) => SEEN.includes(verdict.verdict))
    .sort((a, b) => a.rank - b.rank);
  for (const verdict of ranked) {
    byPlaybook.set(verdict.playbook, [...(byPlaybook.get(verdict.playbook) ?? []), verdict]);
  }
  return [...byPlaybook].flatMap(([playbook, verdicts]) => {
    const first = verdicts[0];
    return first === undefined ? [] : [{ playbook, first, verdicts }];
  });
}

/** Checks without an answer. They are never counted as healthy. */
export function unanswered(triage: TriageView): Verdict[] {
  return triage.ranked.filter((verdict) => verdict.verdict === 'unknown');
}

/** The worst answer per playbook: present before suspected before unknown before absent. */
export function worstVerdict(triage: TriageView | undefined, playbook: string): Verdict | undefined {
  const order = ['present', 'suspected', 'unknown', 'absent'];
  return triage?.ranked
    .filter((verdict) => verdict.playbook === playbook)
    .sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict) || a.rank - b.rank)[0];
}

const PARTS = ['service', 'tenant', 'thread', 'payment', 'schema'] as const;

export function subjectKey(subject: Subject): string {
  return PARTS.flatMap((part) => (subject[part] ? [`${part}=${subject[part]}`] : [])).join('&');
}

export function sameSubject(a: Subject, b: Subject): boolean {
  return subjectKey(a) === subjectKey(b);
}

/** Whether it is about the stack as a whole, or about nobody yet. */
export function isWhole(subject: Subject | undefined): boolean {
  return subject === undefined || subjectKey(subject) === '';
}

/**
 * The verdict about a subject. A playbook that sees nothing, or can't tell, says so of the stack as a whole, and that
 * is then the answer for each subject; another subject's finding is not.
 */
export function verdictFor(verdicts: readonly Verdict[], subject: Subject | undefined): Verdict | undefined {
  if (isWhole(subject)) return verdicts[0];
  return (
    verdicts.find((verdict) => sameSubject(verdict.subject, subject ?? {})) ??
    verdicts.find((verdict) => isWhole(verdict.subject) && !SEEN.includes(verdict.verdict))
  );
}

/** In words: `service redis`, `tenant amani, thread 01J…`, `the whole stack`. */
export function subjectText(subject: Subject): string {
  const parts = PARTS.flatMap((part) => (subject[part] ? [`${part} ${subject[part]}`] : []));
  return parts.length === 0 ? 'the whole stack' : parts.join(', ');
}

/** The subject a link names. */
export function subjectOf(query: URLSearchParams): Subject {
  return Object.fromEntries(
    PARTS.flatMap((part) => (query.has(part) ? [[part, query.get(part) ?? '']] : [])),
  );
}
