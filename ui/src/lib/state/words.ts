/** The words and marks of the console's own states, in one place. */
import type {
  DrillView,
  Mark,
  Risk,
  RunOutcome,
  RunView,
  ServiceView,
  Severity,
  SourceStatus,
  StepState,
  VerdictKind,
} from '../host/generated/wire';

export interface Said {
  readonly mark: Mark;
  readonly word: string;
}

export function verdictSaid(verdict: VerdictKind, severity: Severity | undefined): Said {
  switch (verdict) {
    case 'present':
      return { mark: severity === 'critical' ? 'crit' : 'warn', word: 'Present' };
    case 'suspected':
      return { mark: 'warn', word: 'Suspected' };
    case 'unknown':
      return { mark: 'unknown', word: "Can't tell" };
    case 'absent':
      return { mark: 'ok', word: 'Not seen' };
  }
}

const OUTCOMES: Record<RunOutcome, Said> = {
  fixed: { mark: 'ok', word: 'Fixed' },
  not_fixed: { mark: 'crit', word: 'Not fixed' },
  unknown: { mark: 'unknown', word: "Can't tell" },
  failed: { mark: 'crit', word: 'Failed' },
  refused: { mark: 'warn', word: 'Refused' },
  cancelled: { mark: 'off', word: 'Cancelled' },
};

/** `fixed` of an undo says that it took back what it should. */
export function outcomeSaid(outcome: RunOutcome, isUndo = false): Said {
  if (isUndo && outcome === 'fixed') return { mark: 'ok', word: 'Taken back' };
  if (isUndo && outcome === 'not_fixed') return { mark: 'crit', word: 'Not taken back' };
  return OUTCOMES[outcome];
}

export function outcomeSentence(outcome: RunOutcome, isUndo: boolean): string {
  if (isUndo && outcome === 'fixed') return 'What the run had changed is as it was before.';
  if (isUndo && outcome === 'not_fixed')
    return 'Every step was done, and what the run had changed is still there.';
  if (isUndo && outcome === 'unknown')
    return 'The steps were done, but whether everything is as before could not be found out.';
  switch (outcome) {
    case 'fixed':
      return 'Looked again: the fault is no longer seen.';
    case 'not_fixed':
      return 'Every step was done, and the fault is still seen.';
    case 'unknown':
      return 'The steps were done, but whether the fault is gone could not be found out.';
    case 'failed':
      return 'A step failed and the run stopped there. What was done before it is listed below.';
    case 'refused':
      return 'Nothing was done.';
    case 'cancelled':
      return 'Stopped on request. What was done before that is listed below.';
  }
}

/** Whether a run ended so that somebody else may have to look at it. */
export function needsHelp(outcome: RunOutcome | null | undefined): boolean {
  return outcome === 'not_fixed' || outcome === 'failed' || outcome === 'unknown';
}

/** A run in the journal: its outcome, or that it goes on or was interrupted. */
export function runSaid(run: RunView, isLive: boolean): Said {
  const open = run.interrupted;
  if (isLive || (open !== undefined && open.goes_on !== undefined)) return { mark: 'busy', word: 'Running' };
  if (open === undefined && run.outcome !== undefined && run.outcome !== null)
    return outcomeSaid(run.outcome, run.undo_of !== undefined);
  return { mark: 'warn', word: 'Interrupted' };
}

/** Of a run that was taken back: whether all of it was. */
export function takenBack(run: RunView): string {
  return run.undone_in_part ? 'Partly taken back' : 'Taken back';
}

/** The core names an undo's plan so itself; a run's title may come without it. */
const TAKE_BACK = 'Take back: ';
const DO_AGAIN = 'Do again: ';

export function runTitle(title: string, isUndo: boolean): string {
  const named = title.startsWith(TAKE_BACK) || title.startsWith(DO_AGAIN);
  return isUndo && !named ? `${TAKE_BACK}${title}` : title;
}

/** What stopping does to the step that goes on. */
export function stopMeans(kind: string): string {
  switch (kind) {
    case 'compose':
    case 'project':
    case 'command':
      return 'A command is ended where it runs, and it is looked at what is true then.';
    case 'backup':
      return 'The backup is ended where it runs; half a backup is not kept as one.';
    case 'sql':
      return 'A database change is rolled back, or it was already committed; the run says which.';
    case 'wait_until':
      return 'The wait ends. It changes nothing.';
    case 'manual':
      return 'The console no longer waits for you. What you did stays done.';
    default:
      return 'A step that can’t be ended is finished first.';
  }
}

/** How a drill went when it was last tried. */
export function drillSaid({ outcome }: DrillView): Said {
  switch (outcome) {
    case undefined:
      return { mark: 'off', word: 'Never run' };
    case 'fixed':
      return { mark: 'ok', word: 'Fixed' };
    case 'undone':
      return { mark: 'ok', word: 'Fixed, undone' };
    case 'manual':
      return { mark: 'ok', word: 'Told by hand' };
    case 'not_claimed':
      return { mark: 'ok', word: 'Not claimed' };
    case 'failed':
      return { mark: 'crit', word: 'Failed' };
  }
}

const STEPS: Record<StepState, Said> = {
  pending: { mark: 'off', word: 'Waiting' },
  running: { mark: 'busy', word: 'Running' },
  done: { mark: 'ok', word: 'Done' },
  failed: { mark: 'crit', word: 'Failed' },
  interrupted: { mark: 'warn', word: 'Interrupted' },
  undone: { mark: 'off', word: 'Taken back' },
};

export function stepSaid(state: StepState): Said {
  return STEPS[state];
}

export function sourceSaid(status: SourceStatus): Said {
  if (status === 'ok') return { mark: 'ok', word: 'ok' };
  return status === 'stale' ? { mark: 'warn', word: 'stale' } : { mark: 'crit', word: 'down' };
}

export function riskWord(risk: Risk): string {
  return risk === 'read' ? 'Looks only' : risk === 'reversible' ? 'Reversible' : 'Destructive';
}

const KINDS: Record<string, string> = {
  compose: 'Service',
  project: 'Whole project',
  command: 'Command',
  sql: 'Database',
  redis: 'Redis',
  dotenv: '.env',
  patch: 'Code',
  http: 'HTTP call',
  backup: 'Backup',
  wait_until: 'Wait',
  manual: 'By hand',
};

/** What kind of thing a step is. */
export function kindWord(kind: string): string {
  return Object.hasOwn(KINDS, kind) ? (KINDS[kind] ?? kind) : kind;
}

export function severityWord(severity: Severity): string {
  return severity === 'critical' ? 'Critical' : severity === 'major' ? 'Major' : 'Minor';
}

/** The word on a service's tile. */
export function serviceWord(tile: ServiceView, stale: boolean): string {
  const word = presentWord(tile);
  return stale && tile.mark !== 'unknown' ? `Was ${word.toLowerCase()}` : word;
}

function presentWord(tile: ServiceView): string {
  if (tile.own_run !== undefined) return 'Being changed';
  switch (tile.mark) {
    case 'ok':
      return tile.health === 'none' ? 'Running' : 'Healthy';
    case 'busy':
      return tile.state === 'restarting' ? 'Restarting' : 'Starting';
    case 'unknown':
      return 'Unknown';
    case 'off':
      return tile.state === 'missing' ? 'Missing' : 'Stopped';
    case 'warn':
      return tile.health === 'unhealthy' ? 'Unhealthy' : 'Degraded';
    case 'crit':
      return tile.state === 'missing'
        ? 'Missing'
        : tile.state === 'running' && tile.health === 'unhealthy'
          ? 'Unhealthy'
          : 'Down';
  }
}
