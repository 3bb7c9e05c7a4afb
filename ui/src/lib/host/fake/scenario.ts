/** One state of the stack that a view must draw well, and the healthy one that the others are made from. */
import type {
  Change,
  PlanView,
  PlaybookView,
  RunbookView,
  RunOutcome,
  RunView,
  SnapshotView,
  TriageView,
} from '../generated/wire';
import type { Logging } from './logs';
import { runbook } from './memory';
import { pastRun } from './redis';
import { catalog, snapshot, triage } from './stack';

export interface Scenario {
  snapshot: SnapshotView;
  triage: TriageView;
  playbooks: PlaybookView[];
  runs: RunView[];
  /** The plan that `plan` makes, by playbook id. */
  plans: Record<string, Pick<PlanView, 'steps' | 'confirm' | 'act' | 'preconditions' | 'impact'>>;
  /** How a run of this scenario ends, and at which step it fails. */
  outcome: RunOutcome;
  failsAt?: number;
  inDoubt?: boolean;
  /** What the stack turns out to have changed in, and where that is found. */
  refused?: { at: 'confirm' | 'start' | 'step'; changes: Change[] };
  /** For the plan that goes on with an interrupted run. */
  moved?: Change[];
  /** The run that goes on when the window opens. */
  goesOn?: string;
  /** Commands that never answer, or that are refused. */
  silent?: boolean;
  gone?: boolean;
  /** What is remembered of the rows. */
  runbook: RunbookView;
  /** The parameters that the findings ask for; absent: all. */
  asked?: string[];
  /** What the manual steps of a plan wait for is so already. */
  checksHold?: boolean;
  /** What the logs hold; absent: what goes with the state of its services. */
  logging?: Logging;
  /** What a bundle says wherever it quotes something from outside. */
  bundleSays?: string;
  /** Why no bundle can be made. */
  bundleTrouble?: { code: string; message: string; hint: string };
  chainError?: string;
  journalError?: string;
}

export function base(): Scenario {
  return {
    snapshot: snapshot(),
    triage: triage([]),
    playbooks: catalog(),
    runs: [pastRun('01KAVX7M3Q0000000000000001', 'fixed', 5400)],
    plans: {},
    runbook: runbook(),
    outcome: 'fixed',
  };
}
