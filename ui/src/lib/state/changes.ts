/** What was planned beside what is now, as two texts whose difference can be seen. */
import type { Change } from '../host/generated/wire';

export interface Part {
  readonly text: string;
  readonly differs: boolean;
}

export interface Side {
  /** Nothing is there. */
  readonly absent: boolean;
  readonly parts: readonly Part[];
}

export interface Beside {
  readonly planned: Side;
  readonly now: Side;
}

/** A longer row has a line for each field, so that the same lines stand beside each other. */
const ONE_LINE = 36;

export function beside(change: Change): Beside {
  const [planned, now] = [text(change.planned), text(change.now)];
  if (planned === undefined || now === undefined) return { planned: whole(planned), now: whole(now) };
  const front = common(planned, now);
  const back = Math.min(common(reversed(planned), reversed(now)), planned.length - front, now.length - front);
  return { planned: cut(planned, front, back), now: cut(now, front, back) };
}

function text(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return value === '' ? 'empty text' : value;
  if (!Array.isArray(value)) return fields(value);
  return value.length === 0 ? 'no rows' : value.map(fields).join('\n\n');
}

/** A row as `field: value`, a field a line where it is long. */
function fields(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  const lines = Object.entries(value).map(([name, one]) => `${name}: ${JSON.stringify(one)}`);
  const line = lines.join(', ');
  return line.length <= ONE_LINE ? line : lines.join('\n');
}

function whole(value: string | undefined): Side {
  return value === undefined
    ? { absent: true, parts: [] }
    : { absent: false, parts: [{ text: value, differs: true }] };
}

function cut(value: string, front: number, back: number): Side {
  const parts = [
    { text: value.slice(0, front), differs: false },
    { text: value.slice(front, value.length - back), differs: true },
    { text: value.slice(value.length - back), differs: false },
  ];
  return { absent: false, parts: parts.filter((part) => part.text !== '') };
}

/** How many characters both begin with, back to the last border between words: no half word is told apart. */
function common(a: string, b: string): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n += 1;
  if (n === a.length && n === b.length) return n;
  const border = (at: number): boolean =>
    at === 0 ||
    !/[\w\ud800-\udbff]/.test(a[at - 1] ?? '') ||
    !/[\w\udc00-\udfff]/.test(`${a[at] ?? ''}${b[at] ?? ''}`);
  while (!border(n)) n -= 1;
  return n;
}

function reversed(value: string): string {
  return [...value].reverse().join('');
}
