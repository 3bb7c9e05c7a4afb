import { describe, expect, test } from 'vitest';
import type { InterruptedView, PlanStepView, PlanView, RunView } from '../../src/lib/host/generated/wire';
import { impact as counted } from '../../src/lib/host/fake/stack';
import { pastRun } from '../../src/lib/host/fake/redis';
import { forget, NOTHING } from '../../src/lib/state/fold';
import {
  canUndo,
  stoppedAt,
  unended,
  whetherHappened,
  whyNotResume,
  whyNotUndo,
} from '../../src/lib/state/interrupted';
import {
  isDestructive,
  preconditionText,
  rowsText,
  servicesText,
  stepsText,
  takenBack,
} from '../../src/lib/state/plan-text';
import { emptyRun } from '../../src/lib/state/run-fold';
import { kindWord, runSaid, runTitle, stopMeans } from '../../src/lib/state/words';

const KINDS = 'compose project command sql redis dotenv patch http backup wait_until manual'.split(' ');

const step = (over: Partial<PlanStepView>): PlanStepView => ({
  n: 1,
  kind: 'sql',
  title: 't',
  preview: '',
  command: '',
  risk: 'reversible',
  blast_radius: '',
  instructions: [],
  facts: [],
  ...over,
});

const plan = (steps: PlanStepView[], over: Partial<PlanView> = {}): PlanView =>
  ({
    steps,
    confirm: { kind: 'click' },
    target: { compose_project: 'p' },
    impact: counted(),
    ...over,
  }) as PlanView;

describe('kinds of steps', () => {
  test('each has its own word; a kind that is not known keeps its own', () => {
    expect(new Set(KINDS.map(kindWord)).size).toBe(KINDS.length);
    for (const kind of KINDS) expect(kindWord(kind), kind).not.toBe(kind);
    expect([kindWord('teleport'), kindWord('constructor')]).toEqual(['teleport', 'constructor']);
  });

  test('for each it is said what stopping means', () => {
    for (const kind of [...KINDS, 'teleport']) expect(stopMeans(kind).length, kind).toBeGreaterThan(20);
    expect(stopMeans('command')).toContain('ended where it runs');
    expect(stopMeans('sql')).toMatch(/rolled back.*already committed/);
  });
});

describe('what a plan touches', () => {
  const impact = (
    rows: number | undefined,
    services: string[] = [],
    uncounted: number[] = [],
  ): Pick<PlanView, 'impact'> => ({ impact: counted({ rows, services, uncounted }) });

  test('rows that can not be counted are not none', () => {
    expect(rowsText(plan([step({})], impact(5)))).toBe('5 rows will change');
    expect(rowsText(plan([step({ kind: 'compose' })]))).toBe('none');
    expect(rowsText(plan([step({ kind: 'command' })], impact(undefined, [], [2, 3])))).toBe(
      'can’t be counted: see steps 2 and 3',
    );
    expect(rowsText(plan([step({})], impact(undefined)))).toBe('can’t be counted');
  });

  test('a whole project is all its containers, also where none is named', () => {
    expect(servicesText(plan([step({ kind: 'project' })]))).toBe('all of project p');
    expect(servicesText(plan([step({})]))).toBe('none');
    expect(servicesText(plan([step({})], impact(0, ['a', 'b'])))).toBe('a, b');
  });

  test('what can be taken back, and what can not', () => {
    const steps = [
      step({ n: 1, risk: 'read' }),
      step({ n: 2, undo: { title: 'u' } }),
      step({ n: 3, risk: 'destructive' }),
      step({ n: 4 }),
    ];
    expect(takenBack(plan(steps))).toEqual({ can: [2], cannot: [3, 4] });
    expect([stepsText([3]), stepsText([3, 4]), stepsText([1, 2, 3])]).toEqual([
      'step 3',
      'steps 3 and 4',
      'steps 1, 2 and 3',
    ]);
  });

  test('a phrase alone makes a plan destructive', () => {
    expect(isDestructive(plan([step({})]))).toBe(false);
    expect(isDestructive(plan([step({ risk: 'destructive' })]))).toBe(true);
    expect(isDestructive(plan([step({})], { confirm: { kind: 'phrase', phrase: 'x' } }))).toBe(true);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ kind: 'redis', key: 'k', field: 'f', found: { kind: 'hash', value: 'v' } }, 'f of k is v'],
    [{ kind: 'redis', key: 'k', field: null, found: { kind: 'none', value: null } }, 'k is not there'],
    [{ kind: 'file', facts: { path: '.env', fingerprint: null } }, '.env is not there'],
    [{ kind: 'file', facts: { path: '.env', fingerprint: 'ab' } }, '.env is unchanged (ab)'],
    [{ kind: 'volume', volume: 'v', created_at: null }, 'volume v is not there'],
    [{ kind: 'answer', step: 2, what: 'it answers', holds: true }, 'step 2: it answers'],
  ])('%j reads as a sentence', (condition, text) => {
    expect(preconditionText(condition)).toBe(text);
  });
});

describe('an interrupted run', () => {
  const run = (at: Partial<InterruptedView>, state: 'done' | 'interrupted' | 'pending' = 'done'): RunView => {
    const view = pastRun('R', 'fixed', 60);
    return {
      ...view,
      outcome: undefined,
      interrupted: { how: '', can_resume: false, can_undo: false, ...at },
      steps: view.steps.map((row, i) =>
        i === 0 ? { ...row, state } : { ...row, state: 'pending' as const },
      ),
    };
  };

  test('no answer about its step has the healthy mark, and not known is its own answer', () => {
    const all = [
      run({ n: 1, happened: true }),
      run({ n: 1, happened: false }, 'pending'),
      run({ n: 1 }, 'interrupted'),
      run({ n: 1, in_part: true }, 'interrupted'),
      run({ n: 2 }),
      run({}),
    ].map(whetherHappened);
    expect(new Set(all.map((said) => said.word)).size).toBe(6);
    expect(all.map((said) => said.mark)).not.toContain('ok');
    expect(all[2]?.mark).toBe('unknown');
  });

  test('whose last step failed did not do every step', () => {
    const view = run({});
    const failed = { ...view, steps: view.steps.map((row) => ({ ...row, state: 'failed' as const })) };
    expect(whetherHappened(failed)).toMatchObject({ mark: 'warn' });
    expect(whetherHappened(failed).word).not.toContain('Every step was done');
    expect(stoppedAt(failed).text).toBe('At step 1 of 2');
  });

  test('says where it stopped', () => {
    expect(stoppedAt(run({ n: 2 })).text).toBe('At step 2 of 2');
    expect(stoppedAt(run({}))).toEqual({ text: 'After step 2 of 2', title: undefined });
  });

  test('says why an answer can not be given, and nothing where it can', () => {
    const unknown = run({ n: 1 }, 'interrupted');
    expect([whyNotResume(unknown), whyNotUndo(unknown)].join()).toMatch(/not known.*not known/);
    expect(whyNotUndo(run({ n: 1, happened: false }, 'pending'))).toBe(
      'Nothing was done that can be taken back',
    );
    expect(whyNotResume(run({ can_resume: true }))).toBeUndefined();
    expect(whyNotUndo(run({ can_undo: true }))).toBeUndefined();
  });

  test('is interrupted whatever outcome it has, and running while somebody carries it out', () => {
    expect(runSaid({ ...run({}), outcome: 'unknown' }, false).word).toBe('Interrupted');
    expect(runSaid(run({ goes_on: 'x' }), false).word).toBe('Running');
    expect(runSaid(run({}), true).word).toBe('Running');
  });

  test('can be undone as the core says of the interruption, an ended one as it says of the run', () => {
    expect(canUndo({ ...run({ can_undo: false }), can_undo: true })).toBe(false);
    expect(canUndo(run({ can_undo: true }))).toBe(true);
    expect([canUndo(pastRun('R', 'fixed', 9)), canUndo(undefined)]).toEqual([true, false]);
  });

  test('whose events come in is not listed, and one whose events have ended is', () => {
    const view = { runs: [run({ n: 1 })], chain_ok: true };
    const live = emptyRun('R');
    expect(unended(view, new Map([['R', live]]))).toEqual([]);
    const ended = { ...live, done: { outcome: 'unknown' as const, changes: [] } };
    expect(unended(view, new Map([['R', ended]]))).toHaveLength(1);
    expect(unended(undefined, new Map())).toEqual([]);
  });

  test('that goes on has its events from the start: what was seen of it is forgotten', () => {
    const known = { ...NOTHING, runs: new Map([['R', emptyRun('R')]]) };
    expect(forget(known, 'R').runs.size).toBe(0);
    expect(forget(known, 'S'), 'nothing changes').toBe(known);
  });
});

test('an undo and the undo of an undo are named once', () => {
  expect(runTitle('X', true)).toBe('Take back: X');
  expect(runTitle('Take back: X', true)).toBe('Take back: X');
  expect(runTitle('Do again: X', true)).toBe('Do again: X');
  expect(runTitle('X', false)).toBe('X');
});
