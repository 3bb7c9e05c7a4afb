import { describe, expect, test } from 'vitest';
import { line } from '../../src/lib/host/fake/log-lines';
import { inSight, mostInSight, scrolledTo } from '../../src/lib/kit/fixed-rows';
import {
  counted,
  levelSaid,
  lineText,
  linesBelow,
  needsDay,
  placeOf,
  rowsOf,
  rowText,
  timeUtc,
  totals,
  withRows,
} from '../../src/lib/state/log-lines';
import { bars, spanText, summary } from '../../src/logs/histogram';

const at = (second: number, level = 'info'): ReturnType<typeof line> => ({
  ...line(0, 'backend', level, 'x'),
  ts: new Date(Date.parse('2026-11-26T10:00:00Z') + second * 1000).toISOString(),
});
const NONE = { span_s: 0, spans: [], untimed: 0 };

describe('the histogram', () => {
  test('counts lines where they belong, and spans without a line are there too', () => {
    const made = counted(NONE, [at(0), at(3, 'error'), at(21, 'warning'), { ...at(0), ts: null }]);
    expect(made.span_s).toBe(5);
    expect(made.spans.map(({ lines, warnings, errors }) => [lines, warnings, errors])).toEqual([
      [2, 0, 1],
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
      [1, 1, 0],
    ]);
    expect(made.untimed).toBe(1);
  });

  test('has spans of twice the length rather than too many, and loses no line', () => {
    const lines = Array.from({ length: 2000 }, (_, i) => at(i * 7, i % 5 === 0 ? 'critical' : 'info'));
    const made = lines.reduce((so, one) => counted(so, [one]), counted(NONE, []));
    expect(totals(made)).toEqual({ lines: 2000, warnings: 0, errors: 400 });
    expect(made.spans.length).toBeLessThanOrEqual(120);
    const begins = made.spans.map((span) => Date.parse(span.at) / 1000);
    expect(begins.every((begin, i) => i === 0 || begin - (begins[i - 1] ?? 0) === made.span_s)).toBe(true);
  });

  test('leaves the one it was made from as it was', () => {
    const before = counted(NONE, [at(0)]);
    counted(before, [at(1)]);
    expect(totals(before).lines).toBe(1);
  });

  test('counts a line from before its begin in its first span', () => {
    expect(counted(counted(NONE, [at(60)]), [at(0)]).spans[0]?.lines).toBe(2);
  });

  test('shows one error among a million lines, and warnings above it', () => {
    const spans = [{ at: '2026-11-26T10:00:00Z', lines: 1e6, warnings: 1, errors: 1 }];
    const [bar] = bars({ span_s: 60, spans, untimed: 0 }, 100, 40);
    expect(bar?.errors).toBeGreaterThanOrEqual(2);
    expect((bar?.warnings ?? 0) - (bar?.errors ?? 0)).toBeGreaterThanOrEqual(2);
    expect(bar?.rest).toBe(40);
  });

  test('is told in words', () => {
    const made = counted(NONE, [at(0), at(1, 'error'), at(12, 'error'), at(12, 'error')]);
    expect(spanText(made, 0, 0)).toBe('10:00:00 to 10:00:05: 2 lines, 1 error');
    expect(summary(made)).toContain('10:00:00 to 10:00:15: 4 lines, 3 errors, in spans of 5 s.');
    expect(summary(made)).toContain('Most errors: 10:00:10 to 10:00:15: 2 lines, 2 errors.');
  });
});

describe('rows', () => {
  test('keep their numbers while others go', () => {
    const rows = withRows(rowsOf([at(0), at(1), at(2)]), rowsOf([at(3)], 3), 2);
    expect(rows.map((row) => row.n)).toEqual([2, 3]);
    expect([placeOf(rows, 2), placeOf(rows, 3), placeOf(rows, 1), placeOf(rows, undefined)]).toEqual([
      0, 1, -1, -1,
    ]);
  });

  test('are drawn as far as they are in sight, and a few beside', () => {
    expect(inSight(0, 100, 20, 1000, 2)).toEqual({ from: 0, to: 7 });
    expect(inSight(10_000, 100, 20, 1000, 2)).toEqual({ from: 498, to: 507 });
    expect(inSight(19_900, 100, 20, 1000, 2)).toEqual({ from: 993, to: 1000 });
    expect(inSight(50_000, 100, 20, 3, 2)).toEqual({ from: 3, to: 3 });
  });

  test('are never more at once than is said', () => {
    for (let top = 0; top < 400; top += 7) {
      const { from, to } = inSight(top, 101, 20, 1000);
      expect(to - from).toBeLessThanOrEqual(mostInSight(101, 20));
    }
  });

  test('are scrolled to as little as it takes', () => {
    expect([scrolledTo(0, 500, 100, 20), scrolledTo(27, 500, 100, 20), scrolledTo(40, 500, 100, 20)]).toEqual(
      [0, 500, 720],
    );
  });
});

describe('a line in words', () => {
  test('has its time in UTC, to the millisecond, with the day where it is needed', () => {
    expect(timeUtc('2026-11-26T10:00:00Z', false)).toBe('10:00:00.000');
    expect(timeUtc('2026-11-26T23:59:59.987654321Z', true)).toBe('26 Nov 23:59:59.987');
    expect(timeUtc(null, true)).toBe('\u2014');
    const now = Date.parse('2026-11-26T12:00:00Z');
    expect(needsDay(rowsOf([at(0)]), now)).toBe(false);
    expect(needsDay(rowsOf([{ ...at(0), ts: '2026-11-25T23:00:00Z' }, at(0)]), now)).toBe(true);
  });

  test('shows its first line in the row, cut where it is long, and how many follow', () => {
    expect([rowText('a\nb\nc'), linesBelow('a\nb\nc\n'), linesBelow('a')]).toEqual(['a', 2, 0]);
    expect(rowText('x'.repeat(20_000)).length).toBeLessThan(700);
  });

  test.each([
    ['critical', 'crit', 'critical'],
    ['error', 'crit', 'error'],
    ['warning', 'warn', 'warning'],
    ['info', 'off', 'info'],
    ['debug', 'off', 'debug'],
    ['constructor', 'unknown', 'constructor'],
    ['', 'none', '\u2014'],
  ])('level %s has a shape and a word', (level, mark, word) => {
    expect(levelSaid(level)).toEqual({ mark, word });
  });

  test('is copied with when, who and how bad', () => {
    expect(lineText({ ...at(0), text: 'a\nb' })).toBe('2026-11-26T10:00:00.000Z backend info a\nb');
  });
});
