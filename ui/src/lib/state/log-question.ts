/** What is asked of the logs: as the page shows it, as a link names it, as the core is asked. Pure. */
import type { Evidence, LogLineView, LogRequest, Subject } from '../host/generated/wire';
import { clockUtc } from './log-lines';

export interface LogQuestion {
  /** None: all. */
  readonly services: readonly string[];
  /** This and worse; empty: all. */
  readonly level: string;
  readonly tenant: string;
  readonly thread: string;
  /** A regular expression. */
  readonly grep: string;
  readonly when: When;
}

/** The last so many minutes, or from one time to another. */
export type When =
  { readonly last: Preset } | { readonly since: string | undefined; readonly until: string | undefined };

export type Preset = '1m' | '5m' | '15m' | '1h' | '6h' | 'all';

interface PresetWords {
  readonly id: Preset;
  readonly ms: number;
  /** On its button. */
  readonly short: string;
  /** In a sentence: nothing was written … */
  readonly long: string;
}

const MINUTE = 60_000;

/** The shortest first. */
export const PRESETS: readonly PresetWords[] = [
  { id: '1m', ms: MINUTE, short: '1 min', long: 'in the last minute' },
  { id: '5m', ms: 5 * MINUTE, short: '5 min', long: 'in the last 5 minutes' },
  { id: '15m', ms: 15 * MINUTE, short: '15 min', long: 'in the last 15 minutes' },
  { id: '1h', ms: 60 * MINUTE, short: '1 h', long: 'in the last hour' },
  { id: '6h', ms: 360 * MINUTE, short: '6 h', long: 'in the last 6 hours' },
  { id: 'all', ms: Infinity, short: 'All', long: 'as far back as the logs go' },
];

export const LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const;

/** Lines that the window keeps at most. */
export const MOST = 20_000;

export const USUAL: Preset = '15m';

export const EVERYTHING: LogQuestion = {
  services: [],
  level: '',
  tenant: '',
  thread: '',
  grep: '',
  when: { last: USUAL },
};

export function presetOf({ when }: LogQuestion): PresetWords | undefined {
  return 'last' in when ? PRESETS.find(({ id }) => id === when.last) : undefined;
}

/** The next longer span that can be offered. */
export function longer(question: LogQuestion): PresetWords | undefined {
  const at = PRESETS.findIndex(({ id }) => id === presetOf(question)?.id);
  return at === -1 ? PRESETS.find(({ id }) => id === USUAL) : PRESETS[at + 1];
}

/** What has an end is not followed. */
export function canFollow({ when }: LogQuestion): boolean {
  return 'last' in when || when.until === undefined;
}

export function requestOf(question: LogQuestion, now: number): LogRequest {
  const { services, level, tenant, thread, grep, when } = question;
  const ms = presetOf(question)?.ms ?? Infinity;
  return {
    services: [...services],
    ...(level === '' ? {} : { level }),
    ...(tenant === '' ? {} : { tenant }),
    ...(thread === '' ? {} : { thread }),
    ...(grep === '' ? {} : { grep }),
    since:
      'last' in when ? (ms === Infinity ? null : new Date(now - ms).toISOString()) : (when.since ?? null),
    until: 'last' in when ? null : (when.until ?? null),
    last: MOST,
    follow: canFollow(question),
  };
}

/** One filter that is on, as a person reads it and can take it away. */
export interface Chip {
  readonly id: string;
  readonly what: string;
  readonly value: string;
  /** The question without it. */
  readonly without: LogQuestion;
}

export function chipsOf(question: LogQuestion): Chip[] {
  const { services, level, tenant, thread, grep, when } = question;
  const chips: Chip[] = services.map((one) => ({
    id: `service-${one}`,
    what: 'Service',
    value: one,
    without: { ...question, services: services.filter((other) => other !== one) },
  }));
  const texts = [
    ['level', 'Level', level === '' || level === 'critical' ? level : `${level} and worse`],
    ['tenant', 'Tenant', tenant],
    ['thread', 'Thread', thread],
    ['grep', 'Text', grep],
  ] as const;
  for (const [id, what, value] of texts)
    if (value !== '') chips.push({ id, what, value, without: { ...question, [id]: '' } });
  if (!('last' in when) || when.last !== USUAL)
    chips.push({
      id: 'when',
      what: 'Time',
      value: whenText(question),
      without: { ...question, when: { last: USUAL } },
    });
  return chips;
}

/** `14:03:15 to 14:04:30 UTC`, `in the last 15 minutes`. */
export function whenText(question: LogQuestion): string {
  const { when } = question;
  if ('last' in when) return presetOf(question)?.long ?? '';
  const dated = when.since?.slice(0, 10) !== when.until?.slice(0, 10) && when.until !== undefined;
  const since = when.since === undefined ? undefined : clockUtc(when.since, true);
  const until = when.until === undefined ? undefined : clockUtc(when.until, dated);
  if (since === undefined) return `before ${until ?? ''} UTC`;
  return until === undefined ? `from ${since} UTC on` : `${since} to ${until} UTC`;
}

export function isSameQuestion(a: LogQuestion, b: LogQuestion): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The address of a question. */
export function logsHref(over: Partial<LogQuestion>): string {
  const { services, level, tenant, thread, grep, when } = { ...EVERYTHING, ...over };
  const query = new URLSearchParams(services.map((one) => ['service', one]));
  const texts = { level, tenant, thread, grep, ...('last' in when ? { last: when.last } : when) };
  for (const [name, value] of Object.entries(texts))
    if (value !== undefined && value !== '') query.set(name, value);
  return `#/logs?${query.toString()}`;
}

/** The question that an address names; `undefined`: none, and what was asked last goes on. */
export function questionOf(query: URLSearchParams): LogQuestion | undefined {
  if ([...query].length === 0) return undefined;
  const text = (name: string): string => query.get(name) ?? '';
  const time = (name: string): string | undefined =>
    Number.isNaN(Date.parse(text(name))) ? undefined : new Date(text(name)).toISOString();
  const since = time('since');
  const until = time('until');
  const last = PRESETS.find(({ id }) => id === text('last'))?.id ?? USUAL;
  const level = LEVELS.find((one) => one === text('level')) ?? '';
  return {
    services: query.getAll('service').filter((one) => one !== ''),
    level,
    tenant: text('tenant'),
    thread: text('thread'),
    grep: text('grep'),
    when: since === undefined && until === undefined ? { last } : { since, until },
  };
}

const BEFORE_MS = 15 * MINUTE;
const AFTER_MS = 5 * MINUTE;

/**
 * The log behind evidence: of the service that it names, or that the finding is about, at the time of the look. What
 * was read after that is left open where it is still to come.
 */
export function evidenceHref(
  line: Evidence,
  subject: Subject,
  services: readonly string[],
  now: number,
): string | undefined {
  if (line.source !== 'logs') return undefined;
  const named = services.filter((one) => words(line.what).includes(one));
  const service = named.length === 1 ? named[0] : subject.service;
  const at = Date.parse(line.as_of);
  const until = at + AFTER_MS;
  return logsHref({
    services: service === undefined ? [] : [service],
    tenant: subject.tenant ?? '',
    thread: subject.thread ?? '',
    when: Number.isNaN(at)
      ? EVERYTHING.when
      : {
          since: new Date(at - BEFORE_MS).toISOString(),
          until: until < now ? new Date(until).toISOString() : undefined,
        },
  });
}

/** Everything that was written half a minute before and after a line. */
export function aroundLine(line: LogLineView): LogQuestion | undefined {
  const at = Date.parse(line.ts ?? '');
  if (Number.isNaN(at)) return undefined;
  const around = (ms: number): string => new Date(at + ms).toISOString();
  return { ...EVERYTHING, when: { since: around(-MINUTE / 2), until: around(MINUTE / 2) } };
}

/** A service's name may have dashes; `redis’s` names redis. */
function words(text: string): string[] {
  return text.split(/[^\p{L}\p{N}_-]+/u);
}
