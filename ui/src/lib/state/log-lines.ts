/** Lines of the log as they are kept, counted and written. Pure. */
import type { Histogram, HistogramSpan, LogLineView } from '../host/generated/wire';
import { DASH } from '../kit/format';
import type { StatusMark } from '../kit/status';

/** A line with its number: numbers rise by one, so that a row keeps its identity while others come and go. */
export interface LogRow {
  readonly n: number;
  readonly line: LogLineView;
}

export function rowsOf(lines: readonly LogLineView[], from = 0): LogRow[] {
  return lines.map((line, i) => ({ n: from + i, line }));
}

/** The rows with these after them, the newest `most` of all. */
export function withRows(rows: readonly LogRow[], more: readonly LogRow[], most: number): LogRow[] {
  const all = [...rows, ...more];
  return all.length > most ? all.slice(all.length - most) : all;
}

/** Where a row is now; -1: it is not among them any more. */
export function placeOf(rows: readonly LogRow[], n: number | undefined): number {
  const first = rows[0]?.n;
  if (n === undefined || first === undefined || n < first || n >= first + rows.length) return -1;
  return n - first;
}

export function isSameLine(a: LogLineView, b: LogLineView): boolean {
  return a.ts === b.ts && a.service === b.service && a.text === b.text;
}

const SEVERITIES: Record<string, number> = {
  debug: 1,
  trace: 1,
  notset: 1,
  info: 2,
  notice: 2,
  warning: 3,
  error: 4,
  critical: 5,
};

/** From 1, only for those who look for faults, to 5; 0 for a word that is not known. */
export function severity(level: string): number {
  return Object.hasOwn(SEVERITIES, level) ? (SEVERITIES[level] ?? 0) : 0;
}

export function levelSaid(level: string): { mark: StatusMark | 'none'; word: string } {
  const marks = ['unknown', 'off', 'off', 'warn', 'crit', 'crit'] as const;
  if (level === '') return { mark: 'none', word: DASH };
  return { mark: marks[severity(level)] ?? 'unknown', word: level };
}

/** `14:03:09.120`; with its day `24 Nov 14:03:09.120`. UTC, as the logs themselves are written. */
export function timeUtc(ts: string | null, dated: boolean): string {
  const at = Date.parse(ts ?? '');
  if (Number.isNaN(at)) return DASH;
  const text = new Date(at).toISOString();
  return `${dated ? `${day(at)} ` : ''}${text.slice(11, 23)}`;
}

/** Without milliseconds. */
export function clockUtc(ts: string | number, dated: boolean): string {
  const at = typeof ts === 'number' ? ts : Date.parse(ts);
  return Number.isNaN(at) ? DASH : `${dated ? `${day(at)} ` : ''}${new Date(at).toISOString().slice(11, 19)}`;
}

function day(at: number): string {
  return new Date(at).toLocaleString('en-GB', { day: '2-digit', month: 'short', timeZone: 'UTC' });
}

/** Whether the clock alone does not tell when: not all were written on the day that it is. */
export function needsDay(rows: readonly LogRow[], now: number): boolean {
  const today = new Date(now).toISOString().slice(0, 10);
  const dayOf = (row: LogRow | undefined): string => row?.line.ts?.slice(0, 10) ?? today;
  return dayOf(rows[0]) !== today || dayOf(rows.at(-1)) !== today;
}

/** In a row there is place for so much; the whole is in the details. */
const IN_ROW = 600;

/** A line's first line, as far as a row can show it. */
export function rowText(text: string): string {
  const end = text.indexOf('\n');
  const first = end === -1 ? text : text.slice(0, end);
  return first.length > IN_ROW ? `${first.slice(0, IN_ROW)}…` : first;
}

/** How many lines follow its first. */
export function linesBelow(text: string): number {
  return text.trimEnd().split('\n').length - 1;
}

/** A line as it is copied. */
export function lineText({ ts, service, level, text }: LogLineView): string {
  return [ts ?? DASH, service, level, text].filter((part) => part !== '').join(' ');
}

/** Spans that a picture has place for. */
const SPANS = 120;

/** The histogram with these lines counted in, longer by as many spans as they need; of twice the length where they are too many. */
export function counted(histogram: Histogram, lines: readonly LogLineView[]): Histogram {
  let untimed = histogram.untimed;
  let length = histogram.span_s === 0 ? 5 : histogram.span_s;
  let spans = histogram.spans.map((span) => ({ ...span }));
  for (const line of lines) {
    const at = Date.parse(line.ts ?? '');
    if (Number.isNaN(at)) {
      untimed += 1;
      continue;
    }
    spans[0] ??= emptySpan(Math.floor(at / (length * 1000)) * length * 1000);
    let place = placeAt(spans, length, at);
    while (place >= SPANS) {
      [spans, length] = [halved(spans, length), length * 2];
      place = placeAt(spans, length, at);
    }
    // One that came late, from before the first span, is counted in it.
    place = Math.max(0, place);
    const begin = Date.parse(spans[0]?.at ?? '');
    while (spans.length <= place) spans.push(emptySpan(begin + spans.length * length * 1000));
    const span = spans[place];
    if (span === undefined) continue;
    span.lines += 1;
    if (severity(line.level) === 3) span.warnings += 1;
    if (severity(line.level) >= 4) span.errors += 1;
  }
  return { span_s: spans.length === 0 ? 0 : length, spans, untimed };
}

function placeAt(spans: readonly HistogramSpan[], length: number, at: number): number {
  return Math.floor((at - Date.parse(spans[0]?.at ?? '')) / (length * 1000));
}

function emptySpan(at: number): HistogramSpan {
  return { at: new Date(at).toISOString(), lines: 0, warnings: 0, errors: 0 };
}

function halved(spans: readonly HistogramSpan[], length: number): HistogramSpan[] {
  const begin = Math.floor(Date.parse(spans[0]?.at ?? '') / (length * 2000)) * length * 2000;
  const out: HistogramSpan[] = [];
  for (const span of spans) {
    const place = Math.floor((Date.parse(span.at) - begin) / (length * 2000));
    while (out.length <= place) out.push(emptySpan(begin + out.length * length * 2000));
    const into = out[place];
    if (into === undefined) continue;
    into.lines += span.lines;
    into.warnings += span.warnings;
    into.errors += span.errors;
  }
  return out;
}

export interface Totals {
  readonly lines: number;
  readonly warnings: number;
  readonly errors: number;
}

export function totals({ spans }: Histogram): Totals {
  const sum = (of: (span: HistogramSpan) => number): number => spans.reduce((so, span) => so + of(span), 0);
  return { lines: sum((s) => s.lines), warnings: sum((s) => s.warnings), errors: sum((s) => s.errors) };
}
