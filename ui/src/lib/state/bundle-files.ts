/** A bundle's files as they are listed: what must be seen first, then by folder; and what they come to. Pure. */
import type { FileRow, FileState } from '../host/generated/wire';
import type { StatusMark } from '../kit/status';

export interface FolderLine {
  readonly kind: 'folder';
  readonly path: string;
  readonly depth: number;
  /** Of all files below it. */
  readonly sums: Sums;
}

export interface FileLine {
  readonly kind: 'file';
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly row: FileRow;
}

export interface Sums {
  /** Files that are there. */
  readonly files: number;
  readonly bytes: number;
  readonly replaced: number;
  /** Files that could not be collected or cleaned. */
  readonly missing: number;
}

/** The page that is read first. */
const README = 'README.md';

/** A folder stands above what is in it; files of the same folder before its folders. */
export function listed(files: readonly FileRow[]): (FolderLine | FileLine)[] {
  return below('', 0, files);
}

function below(folder: string, depth: number, files: readonly FileRow[]): (FolderLine | FileLine)[] {
  const here: FileLine[] = [];
  const folders = new Map<string, FileRow[]>();
  for (const row of files) {
    const rest = row.path.slice(folder.length);
    const slash = rest.indexOf('/');
    if (slash === -1) here.push({ kind: 'file', path: row.path, name: rest, depth, row });
    else {
      const path = folder + rest.slice(0, slash + 1);
      folders.set(path, [...(folders.get(path) ?? []), row]);
    }
  }
  here.sort((a, b) => Number(b.path === README) - Number(a.path === README) || compare(a.path, b.path));
  const inner = [...folders].sort(([a], [b]) => compare(a, b));
  return [
    ...here,
    ...inner.flatMap(([path, rows]) => [
      { kind: 'folder' as const, path, depth, sums: sumsOf(rows) },
      ...below(path, depth + 1, rows),
    ]),
  ];
}

export function sumsOf(files: readonly FileRow[]): Sums {
  const there = files.filter(({ state }) => state === 'ok');
  return {
    files: there.length,
    bytes: there.reduce((sum, row) => sum + row.bytes, 0),
    replaced: there.reduce((sum, row) => sum + replaced(row), 0),
    missing: missing(files).length,
  };
}

/** Files that should be there and are not: those that could not be collected first. */
export function missing(files: readonly FileRow[]): FileRow[] {
  const rank = (state: FileState): number => (state === 'failed' ? 0 : 1);
  return files
    .filter(({ state }) => state === 'failed' || state === 'withheld')
    .sort((a, b) => rank(a.state) - rank(b.state));
}

export function replaced(row: FileRow): number {
  return Object.values(row.redactions).reduce((sum, n) => sum + n, 0);
}

/** How often each rule replaced something, the most frequent first. */
export function byRule(files: readonly FileRow[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { redactions } of files)
    for (const [rule, n] of Object.entries(redactions)) counts.set(rule, (counts.get(rule) ?? 0) + n);
  return [...counts].sort(([a, n], [b, m]) => m - n || compare(a, b));
}

export interface FileSaid {
  readonly mark: StatusMark;
  readonly word: string;
}

const STATES: Record<FileState, FileSaid> = {
  ok: { mark: 'ok', word: 'Taken' },
  skipped: { mark: 'off', word: 'Skipped' },
  withheld: { mark: 'warn', word: 'Withheld' },
  failed: { mark: 'crit', word: 'Failed' },
};

export function fileSaid(state: FileState): FileSaid {
  return STATES[state];
}

/** What is to be known of a file beside its numbers: why it is not there, or what was cut off. */
export function noteOf({ why, truncated }: FileRow): string | undefined {
  return why ?? (truncated === undefined ? undefined : `without ${truncated}`);
}

/** A path's last part. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
