/** A run as it goes on, folded from its events, or read from the journal. */
import type { Change, Evidence, RunEvent, RunOutcome, RunView, StepState } from '../host/generated/wire';

export interface LiveStep {
  readonly n: number;
  readonly state: StepState;
  readonly startedAt?: string;
  readonly elapsedMs?: number;
  /** What it did, or why it failed. */
  readonly detail?: string;
  readonly output: readonly string[];
  /** Lines that were dropped from the front. */
  readonly hidden: number;
  /** What it saw when it last looked for what it waits for; set while it waits. */
  readonly looked?: Looked;
}

export interface Looked {
  readonly at: string;
  /** What is seen instead of what is waited for. */
  readonly seen: string;
  /** Seconds it still waited then. */
  readonly leftS: number;
}

export interface LiveRun {
  readonly run: string;
  readonly steps: ReadonlyMap<number, LiveStep>;
  readonly verified?: { outcome: RunOutcome; evidence: readonly Evidence[]; reason?: string };
  /** `changes`: what was not as planned, where that is why. */
  readonly done?: { outcome: RunOutcome; reason?: string; changes: readonly Change[] };
}

/** Lines kept per step. */
export const OUTPUT_LINES = 400;

const ENDED: readonly StepState[] = ['done', 'failed', 'interrupted', 'undone'];

export function emptyRun(run: string): LiveRun {
  return { run, steps: new Map() };
}

/** Events may come twice or late: a step that has ended does not begin again, and nothing follows `run_done`. */
export function foldRun(before: LiveRun | undefined, run: string, event: RunEvent): LiveRun {
  const now = before ?? emptyRun(run);
  if (now.done !== undefined) return now;
  switch (event.event) {
    case 'step_started':
      return withStep(now, event.n, (step) =>
        ENDED.includes(step.state) ? step : { ...step, state: 'running', startedAt: event.at },
      );
    case 'step_output':
      return withStep(now, event.n, (step) => withLine(step, event.line));
    case 'step_done':
      return withStep(now, event.n, (step) => ({
        ...step,
        state: 'done',
        detail: event.detail,
        elapsedMs: event.elapsed_ms,
        looked: undefined,
      }));
    case 'step_failed':
      return withStep(now, event.n, (step) => ({
        ...step,
        state: 'failed',
        detail: event.reason,
        looked: undefined,
      }));
    case 'manual':
      return withStep(now, event.n, (step) =>
        ENDED.includes(step.state) ? step : { ...step, state: 'running' },
      );
    case 'looked':
      return withStep(now, event.n, (step) =>
        ENDED.includes(step.state)
          ? step
          : { ...step, state: 'running', looked: { at: event.at, seen: event.seen, leftS: event.left_s } },
      );
    case 'verified':
      return { ...now, verified: { outcome: event.outcome, evidence: event.evidence, reason: event.reason } };
    case 'run_done':
      return { ...now, done: { outcome: event.outcome, reason: event.reason, changes: event.changes } };
  }
}

/** A run read from the journal, in the same shape. */
export function recorded(view: RunView): LiveRun {
  const steps = view.steps.map((row): [number, LiveStep] => {
    const from = Date.parse(row.started_at);
    const to = Date.parse(row.ended_at);
    const elapsedMs = Number.isNaN(from) || Number.isNaN(to) ? undefined : to - from;
    const hidden = Math.max(0, row.output.length - OUTPUT_LINES);
    return [
      row.step.n,
      {
        n: row.step.n,
        state: row.state,
        startedAt: row.started_at,
        elapsedMs,
        detail: row.detail,
        output: row.output.slice(hidden),
        hidden,
      },
    ];
  });
  return {
    run: view.run,
    steps: new Map(steps),
    verified:
      view.evidence.length > 0 && view.outcome !== undefined
        ? { outcome: view.outcome, evidence: view.evidence, reason: view.reason }
        : undefined,
    done:
      view.outcome === undefined
        ? undefined
        : { outcome: view.outcome, reason: view.reason, changes: view.changes },
  };
}

/** What the journal says, with what the events have added since. A journal that knows the end wins. */
export function merged(view: RunView | undefined, live: LiveRun | undefined): LiveRun | undefined {
  if (view === undefined) return live;
  const base = recorded(view);
  if (live === undefined) return base;
  if (base.done !== undefined) {
    return {
      ...base,
      done: {
        ...base.done,
        changes: base.done.changes.length > 0 ? base.done.changes : (live.done?.changes ?? []),
      },
    };
  }
  const steps = new Map(base.steps);
  for (const [n, step] of live.steps) {
    const known = steps.get(n);
    if (known === undefined || !ENDED.includes(known.state) || ENDED.includes(step.state)) steps.set(n, step);
  }
  return { ...base, steps, verified: live.verified ?? base.verified, done: live.done };
}

export interface Stage {
  /** From 1. The verification is the last one. */
  readonly n: number;
  readonly of: number;
  readonly verifying: boolean;
}

/** Where the run is: the first step that has not ended, or the verification. */
export function stage(run: LiveRun, steps: readonly { n: number }[]): Stage {
  const at = steps.findIndex((step) => run.steps.get(step.n)?.state !== 'done');
  const of = steps.length + 1;
  return at === -1 ? { n: of, of, verifying: true } : { n: at + 1, of, verifying: false };
}

function withStep(run: LiveRun, n: number, change: (step: LiveStep) => LiveStep): LiveRun {
  const step = run.steps.get(n) ?? { n, state: 'pending', output: [], hidden: 0 };
  const changed = change(step);
  return changed === step ? run : { ...run, steps: new Map(run.steps).set(n, changed) };
}

function withLine(step: LiveStep, line: string): LiveStep {
  const output = [...step.output, line];
  const over = Math.max(0, output.length - OUTPUT_LINES);
  return { ...step, output: output.slice(over), hidden: step.hidden + over };
}
