import { describe, expect, test } from 'vitest';
import type { DrillView, RunbookRow, Verdict } from '../../src/lib/host/generated/wire';
import { catalog, verdict } from '../../src/lib/host/fake/stack';
import { grouped, lastDrilled, lastSeen, subjectsText } from '../../src/lib/state/runbook';
import { shownText } from '../../src/lib/state/shown';
import { picked } from '../../src/lib/state/params';

const drill = (over: Partial<DrillView> = {}): DrillView => ({
  variant: 'v',
  title: 't',
  is_proven: true,
  at: '2026-11-24T06:00:00Z',
  commit: 'fb94dccf5a',
  outcome: 'fixed',
  is_of_another_text: false,
  ...over,
});
const never = drill({ is_proven: false, at: undefined, commit: undefined, outcome: undefined });
const row = (drills: DrillView[], over: Partial<RunbookRow> = {}): RunbookRow => ({
  playbook: 'p',
  drills,
  proven: drills.filter((one) => one.is_proven).length,
  proven_at: '2026-11-24T06:00:00Z',
  proven_commit: 'fb94dccf5a',
  ...over,
});
const marked = ({ mark, word, note }: ReturnType<typeof lastDrilled>): string =>
  `${mark} ${word} ${note ?? ''}`.trim();

describe('what is remembered of a row', () => {
  test('proven is only what all drills prove, and unknown is not never', () => {
    expect(marked(lastDrilled(row([drill(), drill()]), undefined))).toBe('ok Proven fb94dcc');
    expect(marked(lastDrilled(row([drill(), never]), undefined))).toBe('warn 1 of 2 1 not run');
    expect(
      marked(lastDrilled(row([drill(), drill({ is_proven: false, outcome: 'failed' })]), undefined)),
    ).toBe('warn 1 of 2 1 failed');
    expect(marked(lastDrilled(row([never, never]), undefined))).toBe('off Never');
    expect(marked(lastDrilled(row([]), undefined))).toBe('off No drill');
    expect(marked(lastDrilled(row([drill({ is_of_another_text: true })]), undefined))).toBe(
      'warn Outdated text changed',
    );
    expect(marked(lastDrilled(row([drill()]), 'bad file'))).toBe('unknown Unknown');
    expect(lastDrilled(undefined, undefined).mark, 'not read yet is no answer').toBeUndefined();
  });

  test('a row that is seen now says so whatever is on record', () => {
    const seen = row([], {
      last_seen: { at: '2026-11-20T06:00:00Z', verdict: 'present', subject: { service: 'redis' } },
    });
    expect(lastSeen(seen, 'no file', true).word).toBe('Now');
    expect(lastSeen(seen, 'no file', false)).toMatchObject({ mark: 'unknown', title: 'no file' });
    expect(lastSeen(seen, undefined, false)).toMatchObject({ at: '2026-11-20T06:00:00Z' });
    expect(lastSeen(seen, undefined, false).title).toContain('service redis');
    expect(lastSeen(row([]), undefined, false).word).toBe('Never');
  });

  test('extras stand apart from the runbook’s rows', () => {
    const { rows, extras } = grouped(catalog());
    expect(rows.map((one) => one.row)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(extras.map((one) => one.row)).toEqual(['e1', 'e2', 'e3', 'e4', 'e5']);
  });

  test('whom it is about: two by name, then how many more', () => {
    const about = (...tenants: string[]): Verdict[] =>
      tenants.map((tenant) => verdict('05-fsm-stuck-collect-slot', 'present', { subject: { tenant } }));
    expect(subjectsText(about('a'))).toBe('a');
    expect(subjectsText(about('a', 'b', 'a'))).toBe('a, b');
    expect(subjectsText(about('a', 'b', 'c', 'd'))).toBe('a, b and 2 more');
    expect(subjectsText([verdict('09-tts-latency', 'present')])).toBe('');
  });
});

describe('what was looked at itself, as text', () => {
  test.each<[string, Parameters<typeof shownText>[0]['items'], string]>([
    ['lines as they are', ['a', 'b'], 'a\nb\n'],
    ['facts by name', [{ state: 'exited', code: 137 }], 'state: exited\ncode: 137\n'],
    ['rows under their columns', [{ a: 1, b: 'x' }, { b: 'y' }], 'a\tb\n1\tx\n\ty\n'],
    ['a mixture line by line', ['a', { b: 1 }], 'a\n{"b":1}\n'],
  ])('%s', (_, items, text) => expect(shownText({ items })).toBe(text));
});

test('choices keep the order of the list however they were picked', () => {
  const param = {
    name: 'p',
    label: 'P',
    kind: 'choices' as const,
    help: '',
    required: false,
    choices: ['a', 'b', 'c', 'd'].map((value) => ({ value, label: value })),
  };
  expect(picked(param, ['d'], ['b', 'a'], true)).toEqual(['a', 'b', 'd']);
  expect(picked(param, ['a', 'b', 'd'], ['b', 'c'], false)).toEqual(['a', 'd']);
});
