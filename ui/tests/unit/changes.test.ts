import { describe, expect, test } from 'vitest';
import { beside, type Side } from '../../src/lib/state/changes';

const change = (planned: unknown, now: unknown) => ({ what: 'redis', field: 'state', planned, now });
const whole = (side: Side): string => side.parts.map((part) => part.text).join('');
const different = (side: Side): string[] =>
  side.parts.filter((part) => part.differs).map((part) => part.text);

describe('planned beside now', () => {
  test.each<[string, unknown, unknown, string[], string[]]>([
    ['words that differ as wholes', 'exited', 'running', ['exited'], ['running']],
    ['no half word', 'running', 'runs', ['running'], ['runs']],
    ['the middle of a sentence', 'a 1 b', 'a 22 b', ['1'], ['22']],
    ['an end that was added', 'HH', 'HH;', [], [';']],
    ['numbers', 5, 12, ['5'], ['12']],
    ['the same twice', 'x', 'x', [], []],
  ])('tells apart %s', (_, planned, now, left, right) => {
    const both = beside(change(planned, now));
    expect([different(both.planned), different(both.now)]).toEqual([left, right]);
  });

  test('loses no character, also where a pair of surrogates differs in its half', () => {
    for (const [a, b] of [
      ['x😀y', 'x😁y'],
      ['aXa', 'aa'],
      ['', 'b'],
      ['ab ab', 'ab'],
    ]) {
      const both = beside(change(a, b));
      expect(whole(both.planned)).toBe(a === '' ? 'empty text' : a);
      expect(whole(both.now)).toBe(b);
      const halves = [...both.planned.parts, ...both.now.parts].filter((part) =>
        /^[\udc00-\udfff]|[\ud800-\udbff]$/.test(part.text),
      );
      expect(halves, 'no half character').toEqual([]);
    }
  });

  test('nothing there is said as such, and is not an empty text', () => {
    expect(beside(change(null, '')).planned.absent).toBe(true);
    expect(beside(change(null, '')).now).toMatchObject({ absent: false });
    expect(beside(change('x', undefined)).now).toEqual({ absent: true, parts: [] });
  });

  test('rows stand field by field', () => {
    const rows = [{ staff_id: '6c1e', day_of_week: 1, start_time: '09:00:00', end_time: '17:00:00' }];
    const both = beside(change([], rows));
    expect(whole(both.planned)).toBe('no rows');
    expect(whole(both.now).split('\n')).toEqual([
      'staff_id: "6c1e"',
      'day_of_week: 1',
      'start_time: "09:00:00"',
      'end_time: "17:00:00"',
    ]);
    expect(whole(beside(change({ a: 1, b: null }, 2)).planned)).toBe('a: 1, b: null');
  });
});
