import { describe, expect, test } from 'vitest';
import type { FileRow, FileState } from '../../src/lib/host/generated/wire';
import { baseName, byRule, listed, missing, noteOf, sumsOf } from '../../src/lib/state/bundle-files';

const row = (path: string, state: FileState = 'ok', over: Partial<FileRow> = {}): FileRow => ({
  path,
  collector: 'logs',
  origin: 'somewhere',
  duration_ms: 1,
  bytes: state === 'ok' ? 100 : 0,
  redactions: {},
  state,
  ...over,
});

describe('the list of files', () => {
  test('begins with the page that is read first; a folder stands above what is in it, after the files beside it', () => {
    const paths = ['logs/files/a.log', 'logs/b.log', 'README.md', 'zeta.json', 'alembic.json'].map((path) =>
      row(path),
    );
    expect(listed(paths).map(({ path, depth }) => [path, depth])).toEqual([
      ['README.md', 0],
      ['alembic.json', 0],
      ['zeta.json', 0],
      ['logs/', 0],
      ['logs/b.log', 1],
      ['logs/files/', 1],
      ['logs/files/a.log', 2],
    ]);
  });

  test('each file is named by its last part, and a folder sums up all below it', () => {
    const lines = listed([
      row('logs/a.log', 'ok', { redactions: { phone: 3 } }),
      row('logs/files/b.log', 'ok', { redactions: { phone: 1, jwt: 2 } }),
      row('logs/c.log', 'failed'),
    ]);
    const folder = lines.find((line) => line.kind === 'folder');
    expect(folder).toMatchObject({ path: 'logs/', sums: { files: 2, bytes: 200, replaced: 6, missing: 1 } });
    expect(lines.flatMap((line) => (line.kind === 'file' ? [line.name] : []))).toEqual([
      'a.log',
      'c.log',
      'b.log',
    ]);
  });

  test('what names no file has no line', () => {
    expect(listed([])).toEqual([]);
  });
});

describe('what is not in it', () => {
  test('is what failed, then what was withheld; what was not wanted is not missing', () => {
    const files = [row('a', 'withheld'), row('b', 'skipped'), row('c', 'failed'), row('d')];
    expect(missing(files).map(({ path }) => path)).toEqual(['c', 'a']);
    expect(sumsOf(files)).toEqual({ files: 1, bytes: 100, replaced: 0, missing: 2 });
  });

  test('has its reason; what was cut is said of a file that is there', () => {
    expect(noteOf(row('a', 'failed', { why: 'no answer' }))).toBe('no answer');
    expect(noteOf(row('a', 'ok', { truncated: 'the oldest 3 entries' }))).toBe(
      'without the oldest 3 entries',
    );
    expect(noteOf(row('a'))).toBeUndefined();
  });
});

test('rules are counted over all files, the most frequent first', () => {
  const files = [
    row('a', 'ok', { redactions: { jwt: 2, phone: 1 } }),
    row('b', 'ok', { redactions: { phone: 4, bearer: 2 } }),
  ];
  expect(byRule(files)).toEqual([
    ['phone', 5],
    ['bearer', 2],
    ['jwt', 2],
  ]);
});

test('a path is named by its last part', () => {
  expect(baseName('/home/otieno/a.zip')).toBe('a.zip');
  expect(baseName('a.zip')).toBe('a.zip');
});
