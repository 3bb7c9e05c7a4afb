import { describe, expect, test } from 'vitest';
import type { SnapshotView, TriageView } from '../../src/lib/host/generated/wire';
import { snapshot, triage } from '../../src/lib/host/fake/stack';
import { fold, NOTHING } from '../../src/lib/state/fold';

const at = (revision: number, profile = 'lab'): SnapshotView => snapshot({ revision, profile });
const ranked = (taken_at: string): TriageView => triage([], { taken_at });

describe('snapshots', () => {
  test('a newer revision replaces an older one', () => {
    const known = fold(fold(NOTHING, { type: 'snapshot', snapshot: at(4) }), {
      type: 'snapshot',
      snapshot: at(5, 'newer'),
    });
    expect(known.snapshot?.profile).toBe('newer');
  });

  test('an older or repeated revision changes nothing at all', () => {
    const known = fold(NOTHING, { type: 'snapshot', snapshot: at(5) });
    expect(fold(known, { type: 'snapshot', snapshot: at(4, 'late') }), 'older').toBe(known);
    expect(fold(known, { type: 'snapshot', snapshot: at(5, 'again') }), 'repeated').toBe(known);
  });

  test('whatever the order of arrival, the highest revision is what is shown', () => {
    const orders = [
      [1, 2, 3],
      [3, 2, 1],
      [2, 3, 1],
      [3, 1, 2],
      [1, 3, 3, 2],
    ];
    for (const order of orders) {
      const known = order.reduce(
        (so, revision) => fold(so, { type: 'snapshot', snapshot: at(revision) }),
        NOTHING,
      );
      expect(known.snapshot?.revision, `order ${order.join(', ')}`).toBe(3);
    }
  });
});

describe('rankings', () => {
  test('a later one replaces an earlier one, and an earlier one that comes late does not', () => {
    const early = ranked('2026-11-24T10:00:00Z');
    const late = ranked('2026-11-24T10:00:01.5Z');
    const known = fold(fold(NOTHING, { type: 'triage', triage: late }), { type: 'triage', triage: early });
    expect(known.triage).toBe(late);
    expect(
      fold(fold(NOTHING, { type: 'triage', triage: early }), { type: 'triage', triage: late }).triage,
    ).toBe(late);
  });

  test('times are compared as times, not as text', () => {
    const early = ranked('2026-11-24T13:00:00+03:00');
    const late = ranked('2026-11-24T10:00:00.001Z');
    const known = fold(fold(NOTHING, { type: 'triage', triage: early }), { type: 'triage', triage: late });
    expect(known.triage).toBe(late);
  });
});

test('runs are kept apart, and a new map is made so that the change is seen', () => {
  const first = fold(NOTHING, { type: 'run', run: 'A', event: { event: 'step_output', n: 1, line: 'a' } });
  const second = fold(first, { type: 'run', run: 'B', event: { event: 'step_output', n: 1, line: 'b' } });
  expect(second.runs).not.toBe(first.runs);
  expect([...second.runs.keys()]).toEqual(['A', 'B']);
  expect(second.runs.get('A')?.steps.get(1)?.output).toEqual(['a']);
});
