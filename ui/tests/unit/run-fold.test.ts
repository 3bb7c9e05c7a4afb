import { describe, expect, test } from 'vitest';
import type { RunEvent, RunView } from '../../src/lib/host/generated/wire';
import { pastRun } from '../../src/lib/host/fake/redis';
import {
  emptyRun,
  foldRun,
  merged,
  OUTPUT_LINES,
  recorded,
  stage,
  type LiveRun,
} from '../../src/lib/state/run-fold';

const started = (n: number): RunEvent => ({
  event: 'step_started',
  n,
  title: 'x',
  at: '2026-11-24T10:00:00Z',
});
const done = (n: number): RunEvent => ({ event: 'step_done', n, detail: 'ok', elapsed_ms: 12 });
const line = (n: number, text: string): RunEvent => ({ event: 'step_output', n, line: text });
const play = (...events: RunEvent[]): LiveRun =>
  events.reduce<LiveRun>((run, event) => foldRun(run, 'R', event), emptyRun('R'));

describe('a run from its events', () => {
  test('goes from running to done, with its output in order', () => {
    const step = play(started(1), line(1, 'a'), line(1, 'b'), done(1)).steps.get(1);
    expect(step?.state).toBe('done');
    expect(step?.output).toEqual(['a', 'b']);
    expect(step?.elapsedMs).toBe(12);
  });

  test('a start that comes after the end does not make the step run again', () => {
    expect(play(started(1), done(1), started(1)).steps.get(1)?.state).toBe('done');
    const failed: RunEvent = { event: 'step_failed', n: 1, reason: 'no' };
    expect(play(started(1), failed, started(1)).steps.get(1)?.state).toBe('failed');
  });

  test('output that comes after the end is kept and the step stays done', () => {
    const step = play(started(1), done(1), line(1, 'late')).steps.get(1);
    expect(step).toMatchObject({ state: 'done', output: ['late'] });
  });

  test('nothing follows the end of the run: a later success does not turn a failure green', () => {
    const ended = play(started(1), {
      event: 'run_done',
      run: 'R',
      outcome: 'failed',
      reason: 'no',
      changes: [],
    });
    expect(foldRun(ended, 'R', { event: 'run_done', run: 'R', outcome: 'fixed', changes: [] })).toBe(ended);
    expect(foldRun(ended, 'R', done(1))).toBe(ended);
  });

  test('output is bounded, and how much is hidden is known', () => {
    const run = play(...Array.from({ length: OUTPUT_LINES + 25 }, (_, i) => line(1, String(i))));
    expect(run.steps.get(1)?.output).toHaveLength(OUTPUT_LINES);
    expect(run.steps.get(1)?.output[0]).toBe('25');
    expect(run.steps.get(1)?.hidden).toBe(25);
  });

  test('a step that waits says what it last saw until it is done', () => {
    const looked = (seen: string, left_s: number): RunEvent => ({
      event: 'looked',
      n: 1,
      at: '2026-11-24T10:00:01Z',
      seen,
      left_s,
    });
    const waiting = play(started(1), looked('port 1 is held by a', 900), looked('port 1 is held by b', 898));
    expect(waiting.steps.get(1)).toMatchObject({
      state: 'running',
      looked: { at: '2026-11-24T10:00:01Z', seen: 'port 1 is held by b', leftS: 898 },
    });
    const after = play(started(1), looked('x', 900), done(1), looked('too late', 1)).steps.get(1);
    expect(after).toMatchObject({ state: 'done', looked: undefined });
  });

  test('the stage counts the steps and then the verification', () => {
    const steps = [{ n: 1 }, { n: 2 }];
    expect(stage(play(), steps)).toEqual({ n: 1, of: 3, verifying: false });
    expect(stage(play(started(1), done(1), started(2)), steps)).toEqual({ n: 2, of: 3, verifying: false });
    expect(stage(play(done(1), done(2)), steps)).toEqual({ n: 3, of: 3, verifying: true });
  });
});

describe('a run from the journal', () => {
  const goingOn = (): RunView => {
    const view = pastRun('R', 'fixed', 60);
    return {
      ...view,
      outcome: undefined,
      evidence: [],
      steps: view.steps.map((row, i) => ({ ...row, state: i === 0 ? 'running' : 'pending' })),
    };
  };

  test('has the same shape as from its events', () => {
    const run = recorded(pastRun('R', 'fixed', 60));
    expect(run.done?.outcome).toBe('fixed');
    expect(run.steps.get(1)?.elapsedMs).toBeGreaterThan(0);
  });

  test('is brought forward by events that are newer than it', () => {
    const both = merged(goingOn(), play(started(1), done(1), started(2)));
    expect(both?.steps.get(1)?.state).toBe('done');
    expect(both?.steps.get(2)?.state).toBe('running');
  });

  test('is not set back by events that are older than it', () => {
    const view = goingOn();
    const ahead = { ...view, steps: view.steps.map((row) => ({ ...row, state: 'done' as const })) };
    expect(merged(ahead, play(started(1)))?.steps.get(1)?.state).toBe('done');
  });

  test('keeps what had changed, which only the events tell', () => {
    const changes = [{ what: 'redis', field: 'state', planned: 'exited', now: 'running' }];
    const live = play({ event: 'run_done', run: 'R', outcome: 'refused', changes });
    expect(live.done?.changes).toEqual(changes);
    expect(merged(pastRun('R', 'refused', 60), live)?.done?.changes).toEqual(changes);
  });

  test('that knows the end wins over the events', () => {
    expect(merged(pastRun('R', 'not_fixed', 60), play(started(1)))?.done?.outcome).toBe('not_fixed');
  });
});
