/** Runs whose end is not on record: what is known of them, and which answers there are. */
import type { RunsView, RunView } from '../host/generated/wire';
import type { LiveRun } from './run-fold';
import type { Said } from './words';

/** Newest first, without those whose events come in. */
export function unended(runs: RunsView | undefined, live: ReadonlyMap<string, LiveRun>): RunView[] {
  const comesIn = (run: string): boolean => {
    const known = live.get(run);
    return known !== undefined && known.done === undefined;
  };
  return (runs?.runs ?? []).filter((run) => run.interrupted !== undefined && !comesIn(run.run));
}

/** Where it stopped: `At step 2 of 3`. */
export function stoppedAt(run: RunView): { text: string; title: string | undefined } {
  const n = failedStep(run) ?? run.interrupted?.n;
  const of = run.steps.length;
  if (n === undefined) return { text: `After step ${of} of ${of}`, title: undefined };
  return { text: `At step ${n} of ${of}`, title: run.steps.find((row) => row.step.n === n)?.step.title };
}

/** Whether the step happened. Not known is an answer of its own, and none of them is healthy. */
export function whetherHappened(run: RunView): Said {
  const { n, happened, in_part: inPart } = run.interrupted ?? {};
  if (failedStep(run) !== undefined)
    return { mark: 'warn', word: 'The step failed; the result was not looked at' };
  if (happened === true) return { mark: 'busy', word: 'The step happened' };
  if (happened === false) return { mark: 'off', word: 'The step did not happen' };
  if (n === undefined) return { mark: 'unknown', word: 'Every step was done; the result was not looked at' };
  if (run.steps.find((row) => row.step.n === n)?.state === 'pending')
    return { mark: 'off', word: 'The step had not begun' };
  if (inPart === true) return { mark: 'warn', word: 'The step was done in part' };
  return { mark: 'unknown', word: 'It is not known whether the step happened' };
}

/** Its console ended between a step's failure and the run's end. */
function failedStep(run: RunView): number | undefined {
  return run.steps.find((row) => row.state === 'failed')?.step.n;
}

/** Why an answer can't be given now; `undefined` when it can. */
export function whyNotResume(run: RunView): string | undefined {
  if (run.interrupted?.can_resume === true) return undefined;
  return isOpen(run)
    ? `It is not known whether step ${run.interrupted?.n} happened, so it is not done a second time`
    : 'The rest of its steps can’t be done';
}

export function whyNotUndo(run: RunView): string | undefined {
  if (run.interrupted?.can_undo === true) return undefined;
  return isOpen(run)
    ? `It is not known whether step ${run.interrupted?.n} happened, so it is not known what to take back`
    : 'Nothing was done that can be taken back';
}

function isOpen(run: RunView): boolean {
  return run.steps.some((row) => row.state === 'interrupted');
}

/** Whether there is something to take back, of an interrupted run or of an ended one. */
export function canUndo(run: RunView | undefined): boolean {
  return run?.interrupted === undefined ? run?.can_undo === true : run.interrupted.can_undo;
}
