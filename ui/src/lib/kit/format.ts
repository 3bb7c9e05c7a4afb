/** Numbers and times as the console writes them. An unknown number is a dash, never a zero. */

export const DASH = '\u2014';

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? DASH : value.toLocaleString('en-GB');
}

/** A span of time in its largest unit: `3 s`, `4 min`, `2 h`, `3 d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}\u00a0h`;
  return `${Math.floor(hours / 24)}\u00a0d`;
}

/** How long something took: `412 ms`, `3.4 s`, `2 min 5 s`. */
export function took(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}\u00a0s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}\u00a0min ${seconds % 60}\u00a0s`;
}

/** Minutes and seconds left: `9:41`. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return DASH;
  if (value < 1024 * 1024) return `${Math.round(value / 1024)}\u00a0KiB`;
  if (value < 1024 ** 3) return `${Math.round(value / 1024 / 1024)}\u00a0MiB`;
  return `${(value / 1024 ** 3).toFixed(1)}\u00a0GiB`;
}

/** A file's length: `212 B`, `6 KiB`, `4.6 MiB`. */
export function size(value: number): string {
  if (value < 1024) return `${value}\u00a0B`;
  if (value < 1024 * 1024) return `${Math.round(value / 1024)}\u00a0KiB`;
  return `${(value / 1024 / 1024).toFixed(1)}\u00a0MiB`;
}

/** Milliseconds since the epoch; `undefined` when there is no time or it can't be read. */
export function instant(value: string | null | undefined): number | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? undefined : ms;
}

/** `2026-11-26 17:28 UTC`: the same wherever it is read. */
export function utc(value: string): string {
  const ms = instant(value);
  return ms === undefined ? DASH : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `14:03:09` today, `23 Nov 14:03` on other days. */
export function clock(value: string | null | undefined, now: number): string {
  const ms = instant(value);
  if (ms === undefined) return DASH;
  const date = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === new Date(now).toDateString()) return `${time}:${two(date.getSeconds())}`;
  const month = date.toLocaleString('en-GB', { month: 'short' });
  return `${date.getDate()} ${month} ${time}`;
}

/** Clocks differ by a little; what is later by more has no age. */
const SKEW_MS = 60_000;

/** How long ago, `3 min ago`; of what is later than now its time, and of what never was a dash. */
export function age(value: string | null | undefined, now: number, after?: string): string {
  const ms = instant(value);
  if (ms === undefined) return DASH;
  if (ms - now > SKEW_MS) return clock(value, now);
  return `${span(now - ms)}${after === undefined ? '' : ` ${after}`}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-GB')} ${n === 1 ? one : many}`;
}

/** A part of a sentence as one of its own. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** Any value from outside as text. A list of texts has a line for each; objects as JSON, one line when short. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return value === '' ? 'empty text' : value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string'))
    return value.join('\n');
  const line = JSON.stringify(value) ?? 'nothing';
  return line.length <= 88 ? line : JSON.stringify(value, null, 2);
}
