/** A host without a core: recorded scenarios and a run that plays itself, so that every view opens in a plain browser. */
import { record, begun, script, seenInstead } from './fake/fake-run';
import { payment, paymentsPage, tenant, thread } from './fake/details';
import { scenario, SCENARIOS, type ScenarioName } from './fake/all';
import type { Scenario } from './fake/scenario';
import { FakeRows } from './fake/failure-mode';
import { captured, FakeBundles, refuseCaptured, shifted } from './fake/bundle';
import { FakeLogs, loggingOf } from './fake/logs';
import { ago, catalog, evidence, impact, services, snapshot, triage } from './fake/stack';
import type {
  Captured,
  Commands,
  LogLineView,
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
  /** The journal turns out to hold these. */
  setRuns(runs: RunView[]): void;
  /** What a plan's manual steps wait for is so, or is not. */
  hold(checks: boolean): void;
  /** A run that stays at a step goes on. */
  release(): void;
  /** Somebody writes into a script's file. */
  rewrite(id: string, sha256: string): void;
  /** The stack writes these lines, or its log ends. */
  write(lines: LogLineView[], over?: { notes?: string[]; is_over?: boolean }): void;
  calls: { name: string; request: unknown }[];
}

declare global {
  interface Window {
    ratibaFake?: FakeControls;
  }
}

type Handlers = {
  [N in CommandName]: (request: Commands[N][0]) => Commands[N][1] | Promise<Commands[N][1]>;
};

/** Reads `scenario`, `kind`, `read_only`, `pace` (milliseconds between events), `good_for` (a plan's seconds),
 * `hold` (the step at which a run stays, or the lines after which making a bundle does) and `captured` (when what is shown
 * was captured as a bundle) from the address. */
export function fakeHost(search: string): Host {
  const query = new URLSearchParams(search);
  const wanted = query.get('scenario') ?? 'redis-stopped';
  const name: ScenarioName = SCENARIOS.find((known) => known === wanted) ?? 'healthy';
  return new Fake(name, scenario(name), query).host();
}

/** What of a run has no undo. */
function stays(view: RunView): string[] {
  return view.steps
    .filter((row) => row.state === 'done' && row.step.risk !== 'read' && row.step.undo === undefined)
    .map(({ step }) => `step ${String(step.n)}, "${step.title}": it has no undo`);
}

function takenBack(view: RunView, by: string): RunView {
  const steps = view.steps.map((row) =>
    row.step.undo !== undefined && row.state === 'done' ? { ...row, state: 'undone' as const } : row,
  );
  return { ...view, steps, undone_by: by, undone_in_part: stays(view).length > 0, can_undo: false };
}

class Fake {
  #state: Scenario;
  readonly #pace: number;
  readonly #goodFor: number;
  readonly #hold: number | undefined;
  #listener: ((update: Update) => void) | undefined;
  #lost: ((error: HostError) => void) | undefined;
  #gone: boolean;
  #serial = 0;
  readonly #plans = new Map<string, PlanView>();
  readonly #stopping = new Set<string>();
  #release: () => void = () => undefined;
  readonly #calls: FakeControls['calls'] = [];
  readonly #logs: FakeLogs;
  readonly #rows: FakeRows;
  readonly #bundles: FakeBundles;

  constructor(name: string, state: Scenario, query: URLSearchParams) {
    const at = query.get('captured');
    if (at !== null) state = shifted(state, Date.parse(at) - Date.now());
    this.#state = state;
    this.#gone = state.gone === true;
    this.#pace = Number(query.get('pace') ?? '220');
    const tell = (update: Update): void => this.#listener?.(update);
    const logging = loggingOf(name, state);
    this.#logs = new FakeLogs(
      at === null ? logging : shifted(logging, Date.parse(at) - Date.now()),
      this.#pace,
      tell,
    );
    this.#rows = new FakeRows(query.get('checkout') ?? undefined);
    this.#goodFor = Number(query.get('good_for') ?? '600');
    this.#hold = query.has('hold') ? Number(query.get('hold')) : undefined;
    const kind = query.get('kind');
    const environment = { ...state.snapshot.environment };
    if (kind === 'lab' || kind === 'laptop' || kind === 'pilot') {
      environment.kind = kind satisfies ProfileKind;
      environment.name = kind === 'pilot' ? 'pilot-nairobi' : kind;
      environment.project = kind === 'lab' ? 'ratiba-lab' : 'ratiba';
    }
    environment.read_only = query.get('read_only') === '1' || at !== null;
    if (at !== null) environment.captured = captured(at);
    state.snapshot = { ...state.snapshot, environment, profile: environment.name };
    this.#bundles = new FakeBundles({
      environment: () => this.#state.snapshot.environment,
      pace: this.#pace,
      hold: this.#hold,
      tell,
      trouble: state.bundleTrouble,
      says: state.bundleSays,
    });
  }

  host(): Host {
    window.ratibaFake = {
      push: (update) => this.#listener?.(update),
      drop: () => {
        this.#gone = true;
        this.#lost?.(this.#unreachable());
      },
      expirePlan: () => {
        for (const plan of this.#plans.values()) plan.expires_at = ago(1);
      },
      setRuns: (runs) => (this.#state.runs = runs),
      hold: (checks) => (this.#state.checksHold = checks),
      release: () => {
        this.#release();
        this.#bundles.release();
      },
      rewrite: (id, sha256) => {
        this.#state.playbooks = this.#state.playbooks.map((one) =>
          one.id === id ? { ...one, sha256 } : one,
        );
      },
      write: (lines, over) => this.#logs.write(lines, over),
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
    if (this.#captured !== undefined) refuseCaptured(name, this.#captured);
    return this.#handlers[name](request);
  }

  readonly #handlers: Handlers = {
    snapshot: () => this.#state.snapshot,
    triage: () =>
      this.#captured === undefined
        ? { ...this.#state.triage, taken_at: new Date().toISOString() }
        : this.#state.triage,
    playbooks: () => ({ playbooks: this.#state.playbooks }),
    runbook: () => this.#state.runbook,
    playbook: ({ id }) => this.#page(id),
    diagnose: ({ id }) => ({
      verdicts: this.#state.triage.ranked.filter((verdict) => verdict.playbook === id),
    }),
    choices: ({ id }) => {
      const page = this.#page(id);
      const asked = this.#state.asked;
      return { ...page, params: page.params.filter((one) => asked?.includes(one.name) ?? true) };
    },
    plan: (request) => this.#plan(request),
    plan_checks: ({ plan_id }) => this.#checks(plan_id),
    apply: ({ plan_id, digest, phrase }) => this.#apply(plan_id, digest, phrase),
    undo_plan: ({ run }) => this.#undoPlan(run),
    undo: ({ plan_id, digest, phrase }) => this.#apply(plan_id, digest, phrase),
    resume_plan: ({ run }) => this.#resumePlan(run),
    resume: ({ plan_id, digest, phrase }) => this.#apply(plan_id, digest, phrase),
    verify_run: ({ run }) => this.#verify(run),
    trust: ({ id, sha256 }) => this.#trust(id, sha256),
    cancel: ({ run }) => {
      this.#stopping.add(run);
      return {};
    },
    runs: () => this.#runs(),
    run: ({ run }) => this.#run(run),
    log_tail: ({ service }) => ({ lines: [{ at: ago(4), stderr: false, text: `${service}: ready` }] }),
    logs: (request) => this.#logs.logs(request),
    logs_close: ({ session }) => {
      this.#logs.close(session);
      return {};
    },
    payments_page: (query) => paymentsPage(query),
    payment: ({ id }) => payment(id),
    thread: ({ thread: id }) => thread(id),
    tenant: ({ slug }) => tenant(slug, this.#state.snapshot.tenants),
    failure_mode: (told) => this.#rows.drafted(told),
    failure_mode_write: (told) => this.#rows.write(told),
    bundle_preview: (request) => this.#bundles.preview(request),
    bundle_cancel: () => {
      this.#bundles.cancel();
      return {};
    },
    bundle_file: (request) => this.#bundles.file(request, this.#captured),
    bundle_opened: () => {
      if (this.#captured !== undefined) return this.#bundles.opened(this.#captured);
      throw new HostError({
        code: 'not_found',
        message: 'show the bundle: this is the stack itself',
        hint: 'Open one with `ratiba-console FILE.zip`.',
      });
    },
    bundle_save: (request) => this.#bundles.save(request),
  };

  get #captured(): Captured | undefined {
    return this.#state.snapshot.environment.captured;
  }

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

  #runs(): Answer<'runs'> {
    const { runs, chainError, journalError } = this.#state;
    if (journalError !== undefined)
      throw new HostError({ code: 'failed', message: journalError, hint: 'Check the disk.' });
    return { runs, chain_ok: chainError === undefined, chain_error: chainError };
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

  /** The window gets a copy, as over a wire. */
  #keep(plan: PlanView): PlanView {
    this.#plans.set(plan.plan_id, plan);
    return structuredClone(plan);
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
    if (this.#page(id).trust === 'untrusted')
      throw new HostError({ code: 'refused', message: `${id} is not trusted` });
    return this.#keep({
      ...this.#frame(),
      playbook: id,
      title: this.#page(id).title,
      subject,
      params,
      ...made,
    });
  }

  #checks(planId: string): Answer<'plan_checks'> {
    const holds = this.#state.checksHold === true;
    const manual = (this.#plans.get(planId)?.steps ?? []).filter((step) => step.kind === 'manual');
    return {
      at: ago(0),
      checks: manual.map((step) => ({
        n: step.n,
        holds,
        seen: holds ? (step.waits?.until ?? '') : seenInstead(step),
      })),
    };
  }

  #undoPlan(run: string): PlanView {
    const view = this.#run(run);
    const again = view.undo_of !== undefined;
    const steps = view.steps
      .filter((row) => row.step.undo !== undefined && row.state === 'done')
      .map((row, i) => ({
        ...row.step,
        n: i + 1,
        title: (row.step.undo?.title ?? '').replace('Do it again: ', ''),
        preview: turned(row.step.preview, again, '"up", "-d", "--no-deps"', '"stop"'),
        command: turned(row.step.command, again, 'up -d --no-deps', 'stop'),
        before: row.step.after,
        after: row.step.before,
        undo: { title: again ? 'Stop redis again' : `Do it again: ${row.step.title}` },
      }));
    return this.#keep({
      ...this.#frame(),
      playbook: view.playbook,
      title: again ? view.title.replace('Take back: ', 'Do again: ') : `Take back: ${view.title}`,
      subject: view.subject,
      params: {},
      preconditions: [],
      impact: impact({ services: ['redis'], customers: 41 }),
      steps,
      stays: stays(view),
      undo_of: run,
      confirm: { kind: 'click' },
      act: again ? 'Start redis' : 'Stop redis again',
    });
  }

  #resumePlan(run: string): PlanView {
    const { playbook, title, subject, steps, undo_of } = this.#run(run);
    return this.#keep({
      ...this.#frame(),
      playbook,
      title,
      subject,
      params: {},
      preconditions: this.#state.plans[playbook]?.preconditions ?? [],
      impact: impact(),
      steps: steps.filter((row) => row.state !== 'done').map((row) => row.step),
      undo_of,
      resume_of: run,
      moved: this.#state.moved ?? [],
      confirm: { kind: 'click' },
      act: steps.find((row) => row.state !== 'done')?.step.title ?? 'Look whether it is fixed',
    });
  }

  #verify(run: string): RunView {
    const view = this.#run(run);
    const seen = {
      event: 'verified' as const,
      outcome: this.#state.outcome,
      evidence: [evidence('docker inspect', 'redis: state', 'running, healthy', true)],
    };
    const done = { event: 'run_done' as const, run, outcome: this.#state.outcome, changes: [] };
    const closed = record(record(view, seen), done);
    this.#state.runs = this.#state.runs.map((one) => (one.run === run ? closed : one));
    return closed;
  }

  #trust(id: string, sha256: string): Answer<'trust'> {
    const page = this.#page(id);
    if (page.sha256 !== sha256)
      throw new HostError({
        code: 'refused',
        message: 'the stack changed since this plan',
        hint: 'Make a new plan and look at it.',
        changes: [{ what: `the playbook ${id}`, field: 'script', planned: sha256, now: page.sha256 }],
      });
    const said = catalog().find((one) => one.id === id) ?? page;
    const trusted = { ...said, sha256, trust: 'trusted' as const, error: undefined };
    this.#state.playbooks = this.#state.playbooks.map((one) => (one.id === id ? trusted : one));
    return trusted;
  }

  #frame(): Pick<
    PlanView,
    'plan_id' | 'digest' | 'created_at' | 'expires_at' | 'target' | 'moved' | 'stays'
  > {
    const { project } = this.#state.snapshot.environment;
    return {
      plan_id: `01KAVXPLAN${String(++this.#serial).padStart(16, '0')}`,
      digest: '5d41402abc4b2a76b9719d911017c592ae0b6a1f9d4c0b7f6f3a2c1d00ff42e1',
      created_at: ago(0),
      expires_at: ago(-this.#goodFor),
      moved: [],
      stays: [],
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
    const plan = this.#plans.get(planId);
    if (plan === undefined || plan.digest !== digest) {
      throw new HostError({
        code: 'refused',
        message: 'This plan is not known any more.',
        hint: 'Make a new plan.',
      });
    }
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
    const refused = this.#refusal();
    if (refused?.at === 'confirm') {
      throw new HostError({
        code: 'refused',
        message: 'the stack changed since this plan',
        hint: 'Make a new plan and look at it.',
        changes: refused.changes,
      });
    }
    this.#plans.delete(planId);
    const run = plan.resume_of ?? `01KAVXRUN${String(++this.#serial).padStart(17, '0')}`;
    const ending =
      plan.undo_of === undefined
        ? {
            outcome: this.#state.outcome,
            failsAt: this.#state.failsAt,
            inDoubt: plan.resume_of === undefined && this.#state.inDoubt,
            refused,
          }
        : { outcome: 'fixed' as const };
    if (plan.resume_of !== undefined) this.#goOn(plan, run);
    else if (refused?.at !== 'start')
      this.#state.runs = [begun(plan, run, plan.undo_of), ...this.#state.runs];
    this.#play(run, script(plan, run, ending), () => this.#settled(run, plan.undo_of, ending.outcome));
    return { run };
  }

  /** What changed is found once; the next plan is made from what is true then. */
  #refusal(): Scenario['refused'] {
    const { refused } = this.#state;
    this.#state.refused = undefined;
    return refused;
  }

  /** The journal of a run that goes on: its rest as not begun. */
  #goOn(plan: PlanView, run: string): void {
    const rest = begun(plan, run, plan.undo_of).steps;
    this.#state.runs = this.#state.runs.map((view) =>
      view.run !== run
        ? view
        : {
            ...view,
            outcome: undefined,
            steps: view.steps.map((row) => rest.find((one) => one.step.n === row.step.n) ?? row),
            interrupted: { how: '', goes_on: 'this console', can_resume: false, can_undo: false },
          },
    );
  }

  /** Goes on with the run that the scenario was opened in the middle of. */
  #continue(run: string): void {
    const view = this.#run(run);
    const plan = {
      ...this.#frame(),
      ...view,
      params: {},
      preconditions: [],
      impact: impact(),
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
          changes: [],
        });
        return;
      }
      this.#send(run, event);
      if (event.event === 'step_started' && event.n === this.#hold) {
        this.#holds(run, rest, after);
        return;
      }
      this.#play(run, rest, after);
    }, this.#pace);
  }

  /** A run stays at a step: what that says while it waits is still said. `release` lets it go on. */
  #holds(run: string, rest: RunEvent[], after: () => void): void {
    const waits = rest.findIndex((event) => event.event !== 'manual' && event.event !== 'looked');
    for (const event of rest.slice(0, waits)) this.#send(run, event);
    this.#release = () => this.#play(run, rest.slice(waits), after);
  }

  #send(run: string, event: RunEvent): void {
    this.#state.runs = this.#state.runs.map((view) => (view.run === run ? record(view, event) : view));
    this.#listener?.({ type: 'run', run, event });
  }

  /** After a repair that worked the stack is healthy; after its undo the fault is back. */
  #settled(run: string, undoOf: string | undefined, outcome: string): void {
    if (outcome !== 'fixed') return;
    if (undoOf !== undefined) {
      this.#state.runs = this.#state.runs.map((view) => (view.run === undoOf ? takenBack(view, run) : view));
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

/** A command the other way round: what was started is stopped, and back. */
function turned(text: string, again: boolean, forth: string, back: string): string {
  return again ? text.replace(back, forth) : text.replace(forth, back);
}
