import { describe, expect, test } from 'vitest';
import type { PlanView, RunOutcome, StepState, VerdictKind } from '../../src/lib/host/generated/wire';
import { payments, snapshot, tenant, tenants } from '../../src/lib/host/fake/stack';
import {
  DASH,
  age,
  bytes,
  count,
  countdown,
  size,
  span,
  took,
  utc,
  valueText,
} from '../../src/lib/kit/format';
import { funnel } from '../../src/lib/state/funnel';
import { asCommands, preconditionText } from '../../src/lib/state/plan-text';
import { outcomeSaid, outcomeSentence, stepSaid, verdictSaid } from '../../src/lib/state/words';

describe('numbers', () => {
  test('what is not known is a dash, and zero is zero', () => {
    expect([count(null), count(undefined), count(0), bytes(undefined)]).toEqual([DASH, DASH, '0', DASH]);
  });

  test('spans use one unit', () => {
    expect([0, 59_999, 60_000, 3_600_000, 47 * 3_600_000, 48 * 3_600_000].map(span)).toEqual(
      ['0 s', '59 s', '1 min', '1 h', '47 h', '2 d'].map((text) => text.replace(' ', '\u00a0')),
    );
    expect(span(-5000), 'a clock that is ahead').toBe('0\u00a0s');
    expect([took(412), took(3400)]).toEqual(['412\u00a0ms', '3.4\u00a0s']);
    expect([countdown(600_000), countdown(9_900), countdown(-1)]).toEqual(['10:00', '0:09', '0:00']);
  });

  test('an age is counted back from now; what is later than now has none, and its time is said', () => {
    const now = Date.parse('2026-11-20T17:28:13Z');
    expect(age('2026-11-20T17:26:13Z', now, 'ago')).toBe('2\u00a0min ago');
    expect(age('2026-11-20T17:28:20Z', now, 'ago'), 'a clock that is ahead').toBe('0\u00a0s ago');
    expect(age('2026-11-26T09:00:00Z', now, 'ago')).toMatch(/^26 Nov \d\d:00$/);
    expect(age(null, now, 'ago')).toBe('—');
  });

  test('a moment of another place is said in the time of all places', () => {
    expect(utc('2026-11-26T20:28:13.5+03:00')).toBe('2026-11-26 17:28 UTC');
    expect(utc('')).toBe('—');
  });

  test('a file’s length has its unit', () => {
    expect([0, 212, 6120, 4_812_400].map(size)).toEqual([
      '0\u00a0B',
      '212\u00a0B',
      '6\u00a0KiB',
      '4.6\u00a0MiB',
    ]);
  });

  test('values of any shape have a text', () => {
    expect([null, '', 0, false, ['a', 'b'], { a: 1 }].map(valueText)).toEqual([
      'nothing',
      'empty text',
      '0',
      'false',
      'a\nb',
      '{"a":1}',
    ]);
  });
});

describe('the payment funnel', () => {
  test('names the tenants that it could not count', () => {
    const some = tenants().map((one, i) => (i < 2 ? { ...one, payments: null } : one));
    const shown = funnel(snapshot({ tenants: some }), undefined);
    expect(shown.unknown).toBe('Counted over 3 of 5 tenants. Could not read amani_clinic, baraka_salon.');
  });

  test('goes in the order of a payment’s life, other states after', () => {
    const rows = [{ state: 'weird', count: 1, stuck: 0, oldest_stuck: null }, ...[...payments()].reverse()];
    expect(funnel(snapshot({ payments: rows }), undefined).rows.map((row) => row.state)).toEqual([
      'initiated',
      'paid',
      'failed',
      'cancelled',
      'weird',
    ]);
  });

  test('of a tenant that could not be read has no rows, and says why', () => {
    const shown = funnel(snapshot(), tenant('a', 'A', { payments: null, detail: 'postgres is down' }));
    expect(shown).toEqual({ rows: [], unknown: 'postgres is down' });
  });

  test('of a tenant keeps unknown stuck payments unknown', () => {
    const shown = funnel(snapshot(), tenant('a', 'A', { stuck_payments: null }));
    expect(shown.rows.find((row) => row.state === 'initiated')?.stuck).toBeNull();
  });
});

describe('states in words', () => {
  test('only a healthy answer has the healthy mark', () => {
    const outcomes: RunOutcome[] = ['fixed', 'not_fixed', 'unknown', 'failed', 'refused', 'cancelled'];
    expect(outcomes.filter((outcome) => outcomeSaid(outcome).mark === 'ok')).toEqual(['fixed']);
    const verdicts: VerdictKind[] = ['present', 'suspected', 'unknown', 'absent'];
    expect(verdicts.filter((kind) => verdictSaid(kind, 'minor').mark === 'ok')).toEqual(['absent']);
    const states: StepState[] = ['pending', 'running', 'done', 'failed', 'interrupted', 'undone'];
    expect(states.filter((state) => stepSaid(state).mark === 'ok')).toEqual(['done']);
  });

  test('each outcome has its own word and its own sentence', () => {
    const outcomes: RunOutcome[] = ['fixed', 'not_fixed', 'unknown', 'failed', 'refused', 'cancelled'];
    expect(new Set(outcomes.map((outcome) => outcomeSaid(outcome).word)).size).toBe(outcomes.length);
    expect(new Set(outcomes.map((outcome) => outcomeSentence(outcome, false))).size).toBe(outcomes.length);
  });
});

describe('a plan as text', () => {
  test('its conditions read as sentences', () => {
    expect(
      preconditionText({ kind: 'container', service: 'redis', id: '4b0d99e1c2aa71f0', state: 'exited' }),
    ).toBe('redis is container 4b0d99e1c2aa, exited, from the same start');
    expect(preconditionText({ kind: 'container', service: 'redis', id: null })).toBe(
      'redis has no container',
    );
    expect(preconditionText({ kind: 'rows', step: 1, guard: 0, what: 'no hours', rows: [] })).toBe(
      'step 1: no hours (no row)',
    );
    expect(preconditionText({ kind: 'new', x: 1 })).toBe('{"kind":"new","x":1}');
  });

  test('as commands, a title with a line break can not become a command', () => {
    const plan = {
      plan_id: 'P',
      digest: 'd',
      title: 'x\nrm -rf /',
      target: { compose_project: 'p' },
      steps: [
        {
          n: 1,
          title: 'y\r\nreboot',
          kind: 'sql',
          facts: ['a\nb'],
          instructions: ['call\u2028halt'],
          command: 'true',
        },
        {
          n: 2,
          title: 'z',
          kind: 'manual',
          facts: [],
          instructions: [{ what: 'a', where: 'b\nhalt' }],
          command: '# a',
        },
      ],
    } as unknown as PlanView;
    const commands = asCommands(plan)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(commands).toEqual(['set -eu', 'true']);
    expect(asCommands(plan)).toContain('\n#    1. a (in b halt)\n');
  });

  test('as commands, nothing is lost before the backup that a shell can not make', () => {
    const step = (n: number, kind: string, command: string): unknown => ({
      n,
      kind,
      command,
      title: kind,
      facts: [],
      instructions: [],
    });
    const plan = {
      plan_id: 'P',
      digest: 'd',
      title: 'x',
      target: { compose_project: 'p' },
      steps: [step(1, 'backup', '# back up'), step(2, 'sql', 'drop')],
    } as unknown as PlanView;
    const commands = asCommands(plan)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(commands).toHaveLength(3);
    expect(commands[1]).toMatch(/^echo '[^']*step 1 is a backup[^']*' >&2; exit 1$/);
    expect(commands[2]).toBe('drop');
  });
});
