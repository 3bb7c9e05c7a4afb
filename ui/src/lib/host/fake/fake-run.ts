/** A run of the fake host: the events that the core would send, one after the other. */
import type {
  Change,
  PlanStepView,
  PlanView,
  RunEvent,
  RunOutcome,
  RunStepView,
  RunView,
  StepState,
} from '../generated/wire';
import { ago, evidence } from './stack';

const OUTPUT = (step: PlanStepView): string[] => [
  `$ ${step.command || step.title}`,
  'Starting ratiba-lab_redis_1 ...',
  'Starting ratiba-lab_redis_1 ... done',
];

export interface Ending {
  outcome: RunOutcome;
  failsAt?: number;
  /** The answer to its first step is lost. */
  inDoubt?: boolean;
  /** At a later step, or before the first one, the stack turns out to have changed. */
  refused?: { at: 'confirm' | 'start' | 'step'; changes: Change[] };
}

/** What a step that waits sees before it sees what it waits for. */
export function seenInstead(step: PlanStepView): string {
  if (step.kind !== 'manual') return 'redis is running, its health is starting';
  const until = step.waits?.until ?? '';
  return until.includes('port') ? 'port 6381 is held by python3 (pid 4711)' : `not yet: ${until}`;
}

/** All events in order. */
export function script(plan: PlanView, run: string, ending: Ending, from = 1): RunEvent[] {
  const events: RunEvent[] = [];
  const changes = ending.refused?.changes ?? [];
  if (ending.refused?.at === 'start') {
    const reason = `the stack changed since this plan: ${sentence(changes)}`;
    return [{ event: 'run_done', run: '', outcome: 'refused', reason, changes }];
  }
  for (const step of plan.steps.filter((one) => one.n >= from)) {
    events.push({ event: 'step_started', n: step.n, title: step.title, at: new Date().toISOString() });
    if (step.kind === 'manual')
      events.push({
        event: 'manual',
        n: step.n,
        title: step.title,
        instructions: step.instructions,
        facts: step.facts,
      });
    if (step.waits !== undefined)
      events.push({
        event: 'looked',
        n: step.n,
        at: new Date().toISOString(),
        seen: seenInstead(step),
        left_s: step.waits.within_s,
      });
    if (ending.refused?.at === 'step' && step.n === 2) {
      const reason = `nothing was done: ${sentence(changes)}`;
      events.push(
        { event: 'step_failed', n: step.n, reason },
        { event: 'run_done', run, outcome: 'failed', reason: `step ${step.n}: ${reason}`, changes },
      );
      return events;
    }
    for (const line of step.waits !== undefined ? [] : OUTPUT(step)) {
      events.push({ event: 'step_output', n: step.n, line });
    }
    if (ending.inDoubt === true) {
      const reason = 'it is not known whether it happened: the engine did not answer';
      events.push(
        { event: 'step_failed', n: step.n, reason },
        { event: 'run_done', run, outcome: 'unknown', reason: `step ${step.n}: ${reason}`, changes: [] },
      );
      return events;
    }
    if (ending.failsAt === step.n) {
      const reason = 'Bind for 127.0.0.1:6381 failed: port is already allocated';
      events.push(
        { event: 'step_failed', n: step.n, reason },
        { event: 'run_done', run, outcome: 'failed', reason, changes: [] },
      );
      return events;
    }
    events.push({ event: 'step_done', n: step.n, detail: step.after ?? 'done', elapsed_ms: 1840 });
  }
  const fixed = ending.outcome === 'fixed';
  const seen = [
    evidence('docker inspect', 'redis: state', fixed ? 'running, healthy' : 'exited, exit code 137', fixed),
  ];
  const reason = fixed ? undefined : 'redis has exited again with code 137';
  events.push({ event: 'verified', outcome: ending.outcome, evidence: seen, reason });
  events.push({ event: 'run_done', run, outcome: ending.outcome, reason, changes: [] });
  return events;
}

/** The journal's view of a run, brought up to date with one event. */
export function record(view: RunView, event: RunEvent): RunView {
  const now = new Date().toISOString();
  const step = (n: number, change: Partial<RunStepView>): RunView => ({
    ...view,
    steps: view.steps.map((row) => (row.step.n === n ? { ...row, ...change } : row)),
  });
  switch (event.event) {
    case 'step_started':
      return step(event.n, { state: 'running', started_at: event.at });
    case 'step_output':
      return step(event.n, {
        output: [...(view.steps.find((row) => row.step.n === event.n)?.output ?? []), event.line],
      });
    case 'step_done':
      return step(event.n, { state: 'done', detail: event.detail, ended_at: now });
    case 'step_failed':
      return step(event.n, { state: 'failed', detail: event.reason, ended_at: now });
    case 'manual':
    case 'looked':
      return view;
    case 'verified':
      return { ...view, evidence: event.evidence, reason: event.reason };
    case 'run_done': {
      const lost = view.steps.find((row) => row.state === 'failed');
      if (event.outcome === 'unknown' && lost !== undefined) return inDoubt(view, lost.step.n, event.reason);
      const worked = view.steps.some((row) => row.state === 'done' && row.step.undo !== undefined);
      return {
        ...view,
        outcome: event.outcome,
        reason: event.reason,
        changes: event.changes,
        ended_at: now,
        can_undo: worked,
        interrupted: undefined,
      };
    }
  }
}

/** By the time one asks, the step turns out to have happened. */
function inDoubt(view: RunView, n: number, reason: string | undefined): RunView {
  const how = 'redis is running, started after the step began';
  return {
    ...view,
    outcome: 'unknown',
    reason,
    steps: view.steps.map((row) => (row.step.n === n ? { ...row, state: 'done' as const } : row)),
    interrupted: { n, happened: true, how, can_resume: true, can_undo: true },
  };
}

function sentence(changes: readonly Change[]): string {
  return changes
    .map((one) => `${one.field} of ${one.what} was ${one.planned}, now it is ${one.now}`)
    .join('; ');
}

export function begun(plan: PlanView, run: string, undoOf: string | undefined): RunView {
  return {
    run,
    playbook: plan.playbook,
    title: plan.title,
    subject: plan.subject,
    digest: plan.digest,
    operator: 'adrian',
    started_at: ago(0),
    ended_at: undefined as unknown as string,
    changes: [],
    steps: plan.steps.map((step) => ({
      step,
      state: 'pending' as StepState,
      started_at: undefined as unknown as string,
      ended_at: undefined as unknown as string,
      output: [],
    })),
    evidence: [],
    undo_of: undoOf,
    undone_in_part: false,
    can_undo: false,
    interrupted: { how: '', goes_on: 'this console', can_resume: false, can_undo: false },
  };
}
