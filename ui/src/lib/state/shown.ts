/** What was looked at itself, as text to be copied, and whether another look saw the same. */
import type { Evidence, Shown } from '../host/generated/wire';
import { valueText } from '../kit/format';

/** A line as it is; a row as `name: value` pairs, several rows with a tab between their cells. */
export function shownText(shown: Shown): string {
  const rows = shown.items.filter((item) => typeof item !== 'string');
  const only = rows.length === 1 && shown.items.length === 1 ? rows[0] : undefined;
  if (only !== undefined)
    return Object.entries(only)
      .map(([name, value]) => `${name}: ${oneLine(value)}\n`)
      .join('');
  if (rows.length === shown.items.length && rows.length > 0) {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const lines = rows.map((row) => columns.map((column) => oneLine(row[column] ?? '')).join('\t'));
    return `${[columns.join('\t'), ...lines].join('\n')}\n`;
  }
  return `${shown.items.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join('\n')}\n`;
}

/** What evidence is of, so that it is found again in the next look. */
export function evidenceKey(line: Evidence): string {
  return `${line.against === true ? '-' : '+'}${line.source}/${line.what}`;
}

export function sameShown(a: Shown | undefined, b: Shown | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function oneLine(value: unknown): string {
  return typeof value === 'string' ? value : valueText(value).replace(/\n\s*/g, ' ');
}
