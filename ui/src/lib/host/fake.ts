/** A host without a core: recorded scenarios and a run that plays itself, so that every view opens in a plain browser. */
import { record, begun, script } from './fake/fake-run';
import { scenario, SCENARIOS, type Scenario, type ScenarioName } from './fake/scenarios';
import { ago, services, snapshot, triage } from './fake/stack';
import type {
  Commands,
  PlanRequest,
  PlanView,
  ProfileKind,
  RunEvent,
  RunView,
  Update,
} from './generated/wire';
import { HostError, type Answer, type CommandName, type Host, type Request } from './host';

/** What a test may do to the fake host, as `window.ratibaFake`. */
export interface FakeControls {
  push(update: Update): void;
  drop(): void;
  expirePlan(): void;
  calls: { name: string; request: unknown }[];
}

declare global {
  interface Window {
    ratibaFake?: FakeControls;
  }
}

type Handlers = { [N in CommandName]: (request: Commands[N][0]) => Commands[N][1] };

/** Reads `scenario`, `kind`, `read_only` and `pace` (milliseconds between events) from the address. */
export function fakeHost(search: string): Host {
  const query = new URLSearchParams(search);
  const wanted = query.get('scenario') ?? 'redis-stopped';
  const name: ScenarioName = SCENARIOS.find((known) => known === wanted) ?? 'healthy';
  return new Fake(scenario(name), query).host();
}

class Fake {
  #state: Scenario;
  readonly #pace: number;
  #listener: ((update: Update) => void) | undefined;
  #lost: ((error: HostError) => void) | undefined;
  #gone: boolean;
  #serial = 0;
  readonly #plans = new Map<string, { plan: PlanView; undoOf?: string }>();
  readonly #stopping = new Set<string>();
  readonly #calls: FakeControls['calls'] = [];

  constructor(state: Scenario, query: URLSearchParams) {
    this.#state = state;
    this.#gone = state.gone === true;
    this.#pace = Number(query.get('pace') ?? '220');
    const kind = query.get('kind');
    const environment = { ...state.snapshot.environment };
    if (kind === 'lab' || kind === 'laptop' || kind === 'pilot') {
      environment.kind = kind satisfies ProfileKind;
      environment.name = kind === 'pilot' ? 'pilot-nairobi' : kind;
      environment.project = kind === 'lab' ? 'ratiba-lab' : 'ratiba';
    }
    environment.read_only = query.get('read_only') === '1';
    state.snapshot = { ...state.snapshot, environment, profile: environment.name };
  }

  host(): Host {
    window.ratibaFake = {
      push: (update) => this.#listener?.(update),
      drop: () => {
        this.#gone = true;
        this.#lost?.(this.#unreachable());
      },
      expirePlan: () => {
        for (const kept of this.#plans.values()) kept.plan.expires_at = ago(1);
      },
      calls: this.#calls,
    };
    return {
      kind: 'fake',
      call: (name, request) => this.#call(name, request),
      subscribe: async (listener, lost) => {
        if (this.#gone && this.#state.gone === true) throw this.#unreachable();
        this.#gone = false;
        this.#listener = listener;
        this.#lost = lost;
        if (this.#state.goesOn !== undefined) this.#continue(this.#state.goesOn);
        return () => (this.#listener = undefined);
      },
    };
  }

  async #call<N extends CommandName>(name: N, request: Request<N>): Promise<Answer<N>> {
    this.#calls.push({ name, request });
    if (this.#state.silent === true) return new Promise(() => undefined);
    if (this.#gone) throw this.#unreachable();
    await Promise.resolve();
    return this.#handlers[name](request);
  }

  readonly #handlers: Handlers = {
    snapshot: () => this.#state.snapshot,
    triage: () => ({ ...this.#state.triage, taken_at: new Date().toISOString() }),
    playbooks: () => ({ playbooks: this.#state.playbooks }),
    playbook: ({ id }) => this.#page(id),
    diagnose: ({ id }) => ({
      verdicts: this.#state.triage.ranked.filter((verdict) => verdict.playbook === id),
    }),
    choices: ({ id }) => this.#page(id),
    plan: (request) => this.#plan(request),
    apply: ({ plan_id, digest, phrase }) => this.#apply(plan_id, digest, phrase),
    undo_plan: ({ run }) => this.#undoPlan(run),
    undo: ({ plan_id, digest, phrase }) => this.#apply(plan_id, digest, phrase),
    cancel: ({ run }) => {
      this.#stopping.add(run);
      return {};
    },
    runs: () => ({
      runs: this.#state.runs,
      chain_ok: this.#state.chainError === undefined,
      chain_error: this.#state.chainError,
    }),
    run: ({ run }) => this.#run(run),
    log_tail: ({ service }) => ({ lines: [{ at: ago(4), stderr: false, text: `${service}: ready` }] }),
  };

  #page(id: string): Answer<'playbook'> {
    const page = this.#state.playbooks.find((playbook) => playbook.id === id);
    if (page === undefined)
      throw new HostError({
        code: 'not_found',
        message: `There is no playbook ${id}.`,
        hint: 'Open the runbook.',
      });
    return page;
  }

  #run(run: string): RunView {
    const view = this.#state.runs.find((one) => one.run === run);
    if (view === undefined)
      throw new HostError({
        code: 'not_found',
        message: `There is no run ${run} in the journal.`,
        hint: 'Open the journal.',
      });
    return view;
  }

  #keep(plan: PlanView, undoOf?: string): PlanView {
    this.#plans.set(plan.plan_id, { plan, undoOf });
    return plan;
  }

  #plan({ id, subject, params }: PlanRequest): PlanView {
    const made = this.#state.plans[id];
    if (made === undefined) {
      throw new HostError({
        code: 'refused',
        message: `${id} has nothing to repair now.`,
        hint: 'Look again: the finding is gone.',
      });
    }
    return this.#keep({
      ...this.#frame(),
      playbook: id,
      title: this.#page(id).title,
      subject,
      params,
      ...made,
    });
  }

  #undoPlan(run: string): PlanView {
    const view = this.#run(run);
    const steps = view.steps
      .filter((row) => row.step.undo !== undefined)
      .map((row, i) => ({
        ...row.step,
        n: i + 1,
        title: row.step.undo?.title ?? '',
        preview: row.step.preview.replace('"up", "-d", "--no-deps"', '"stop"'),
        command: row.step.command.replace('up -d --no-deps', 'stop'),
        before: row.step.after,
        after: row.step.before,
        undo: undefined,
      }));
    const { playbook, title, subject } = view;
    const frame = {
      ...this.#frame(),
      playbook,
      title: `Take back: ${title}`,
      subject,
      params: {},
      preconditions: [],
    };
    return this.#keep({ ...frame, steps, confirm: { kind: 'click' }, act: 'Stop redis again' }, run);
  }

  #frame(): Pick<PlanView, 'plan_id' | 'digest' | 'created_at' | 'expires_at' | 'target'> {
    const { project } = this.#state.snapshot.environment;
    return {
      plan_id: `01KAVXPLAN${String(++this.#serial).padStart(16, '0')}`,
      digest: '5d41402abc4b2a76b9719d911017c592ae0b6a1f9d4c0b7f6f3a2c1d00ff42e1',
      created_at: ago(0),
      expires_at: ago(-600),
      target: {
        compose_project: project,
        compose_working_dir: `/srv/${project}`,
        docker_engine_id: 'JGZ4:ORQ7:2YHB:VVEX',
        postgres_system_identifier: '7441902231870943255',
        postgres_database: 'ratiba',
        redis_run_id: null,
      },
    };
  }

  #apply(planId: string, digest: string, phrase: string | null): { run: string } {
    const kept = this.#plans.get(planId);
    if (kept === undefined || kept.plan.digest !== digest) {
      throw new HostError({
        code: 'refused',
        message: 'This plan is not known any more.',
        hint: 'Make a new plan.',
      });
    }
    const { plan, undoOf } = kept;
    if (Date.parse(plan.expires_at) < Date.now()) {
      throw new HostError({
        code: 'refused',
        message: 'The plan has expired, and nothing was done.',
        hint: 'Make a new plan.',
      });
    }
    if (plan.confirm.kind === 'phrase' && plan.confirm.phrase !== phrase) {
      throw new HostError({
        code: 'refused',
        message: 'The typed name is not the one asked for, and nothing was done.',
        hint: 'Type it as shown.',
      });
    }
    this.#plans.delete(planId);
    const run = `01KAVXRUN${String(++this.#serial).padStart(17, '0')}`;
    this.#state.runs = [begun(plan, run, undoOf), ...this.#state.runs];
    const ending =
      undoOf === undefined
        ? { outcome: this.#state.outcome, failsAt: this.#state.failsAt }
        : { outcome: 'fixed' as const };
    this.#play(run, script(plan, run, ending), () => this.#settled(run, undoOf, ending.outcome));
    return { run };
  }

  /** Goes on with the run that the scenario was opened in the middle of. */
  #continue(run: string): void {
    const view = this.#run(run);
    const plan = {
      ...this.#frame(),
      ...view,
      params: {},
      preconditions: [],
      confirm: { kind: 'click' as const },
      act: '',
      steps: view.steps.map((row) => row.step),
    };
    const held = script(plan, run, { outcome: 'fixed' }, 2).filter((event) => event.event === 'step_output');
    this.#play(run, held, () => undefined);
  }

  #play(run: string, events: RunEvent[], after: () => void): void {
    const [event, ...rest] = events;
    if (event === undefined) {
      after();
      return;
    }
    setTimeout(() => {
      if (this.#stopping.has(run) && event.event === 'step_started') {
        this.#send(run, {
          event: 'run_done',
          run,
          outcome: 'cancelled',
          reason: 'stopped on request between two steps',
        });
        return;
      }
      this.#send(run, event);
      this.#play(run, rest, after);
    }, this.#pace);
  }

  #send(run: string, event: RunEvent): void {
    this.#state.runs = this.#state.runs.map((view) => (view.run === run ? record(view, event) : view));
    this.#listener?.({ type: 'run', run, event });
  }

  /** After a repair that worked the stack is healthy; after its undo the fault is back. */
  #settled(run: string, undoOf: string | undefined, outcome: string): void {
    if (outcome !== 'fixed') return;
    if (undoOf !== undefined) {
      this.#state.runs = this.#state.runs.map((view) =>
        view.run === undoOf ? { ...view, undone_by: run, can_undo: false } : view,
      );
      return;
    }
    const revision = this.#state.snapshot.revision + 1;
    const { environment, profile } = this.#state.snapshot;
    this.#state.snapshot = snapshot({ revision, environment, profile, services: services() });
    this.#state.triage = { ...triage([]), taken_at: new Date().toISOString() };
    this.#listener?.({ type: 'snapshot', snapshot: this.#state.snapshot });
    this.#listener?.({ type: 'triage', triage: this.#state.triage });
  }

  #unreachable(): HostError {
    return new HostError({
      code: 'unreachable',
      message: 'The console’s core does not answer.',
      hint: 'Start the console again. What was running is in the journal.',
    });
  }
}
