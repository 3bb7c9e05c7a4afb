/** One playbook's repair in the window: parameters, plan, confirmation, run, undo. The core decides; this remembers. */
import type { ChecksView, PlanView, PlaybookView, RunView, Subject, Verdict } from '../host/generated/wire';
import { asHostError, type Host, type HostError } from '../host/host';
import { sameSubject } from './findings';
import { carried, checkAll, type CheckedForm, type Raw } from './params';
import { emptyRun, merged, type LiveRun } from './run-fold';

/** A repair, the undo of a run, or the rest of an interrupted one. */
export type Act = 'repair' | 'undo' | 'resume';

const CONFIRMS = { repair: 'apply', undo: 'undo', resume: 'resume' } as const;

/** What a repair needs to know of the runs that this window sees. */
export interface Seen {
  live(run: string): LiveRun | undefined;
  /** A run's events will come again from the start. */
  forget(run: string): void;
  /** It is a bundle: nothing can be asked of the stack. */
  isCaptured(): boolean;
}

/** While a plan with a manual step is in sight, what that waits for is looked at this often. */
const CHECK_MS = 3000;

/** A running run is read from the journal again when no event has come for this long. */
const QUIET_MS = 4000;

export class Remedy {
  readonly id: string;
  readonly #host: Host;
  readonly #seen: Seen;

  playbook = $state.raw<PlaybookView | undefined>();
  /** The playbook's own answer, when it was asked for since the last ranking. */
  diagnosed = $state.raw<{ verdicts: Verdict[]; at: number } | undefined>();
  loadError = $state.raw<HostError | undefined>();
  choicesError = $state.raw<HostError | undefined>();
  looking = $state(false);
  trusting = $state(false);
  trustError = $state.raw<HostError | undefined>();

  subject = $state.raw<Subject | undefined>();
  raw = $state.raw<Record<string, Raw>>({});
  /** Errors are shown once a plan was asked for, or for fields that were left. */
  touched = $state.raw<readonly string[]>([]);

  act = $state<Act>('repair');
  plan = $state.raw<PlanView | undefined>();
  planning = $state(false);
  planError = $state.raw<HostError | undefined>();

  /** What the plan's manual steps wait for, as it stands; why it can't be told. */
  checks = $state.raw<ChecksView | undefined>();
  checksError = $state.raw<HostError | undefined>();
  /** Somebody looks at the page. */
  inSight = false;

  confirming = $state(false);
  phrase = $state('');
  pilotMeant = $state(false);
  applying = $state(false);
  applyError = $state.raw<HostError | undefined>();

  runId = $state<string | undefined>();
  /** The plan that the run carries out. */
  runPlan = $state.raw<PlanView | undefined>();
  runAct = $state<Act>('repair');
  recordedRun = $state.raw<RunView | undefined>();
  runError = $state.raw<HostError | undefined>();
  /** It ended before it began, so that the journal has no such run. */
  unrecorded = $state(false);
  cancelling = $state(false);

  // Getters, not `$derived`: a repair outlives the page that made it, and a derived value would not.
  get form(): CheckedForm {
    return checkAll(this.playbook?.params ?? [], this.raw);
  }

  get run(): LiveRun | undefined {
    if (this.runId === undefined) return undefined;
    // Before its first event a run is there already: what it was planned from must not be offered again.
    return merged(this.recordedRun, this.#seen.live(this.runId)) ?? emptyRun(this.runId);
  }

  #asked = 0;
  #quietSince = 0;
  #checkedAt = 0;

  constructor(host: Host, id: string, seen: Seen) {
    this.#host = host;
    this.id = id;
    this.#seen = seen;
  }

  /** Chooses whom it is about, and asks for that subject's parameters. */
  async choose(subject: Subject | undefined): Promise<void> {
    if (this.playbook !== undefined && sameSubject(subject ?? {}, this.subject ?? {})) return;
    if (this.running) return;
    this.subject = subject;
    if (this.act === 'repair') this.#dropPlan();
    await this.loadChoices();
  }

  /** Parameters with the live system's choices. Falls back to the page without them, and says so. */
  async loadChoices(): Promise<void> {
    const asked = ++this.#asked;
    this.loadError = undefined;
    this.choicesError = undefined;
    const { values } = this.form;
    if (this.#seen.isCaptured()) return this.#loadPage(asked);
    try {
      const playbook = await this.#host.call('choices', {
        id: this.id,
        subject: this.subject ?? {},
        params: values,
      });
      if (asked === this.#asked) this.#take(playbook);
    } catch (thrown) {
      if (asked !== this.#asked) return;
      this.choicesError = asHostError(thrown);
      await this.#loadPage(asked);
    }
  }

  set(name: string, value: Raw): void {
    this.raw = { ...this.raw, [name]: value };
    this.#dropPlan();
  }

  leave(name: string): void {
    if (!this.touched.includes(name)) this.touched = [...this.touched, name];
  }

  async look(): Promise<void> {
    this.looking = true;
    this.loadError = undefined;
    try {
      const { verdicts } = await this.#host.call('diagnose', { id: this.id });
      this.diagnosed = { verdicts, at: Date.now() };
    } catch (thrown) {
      this.loadError = asHostError(thrown);
    } finally {
      this.looking = false;
    }
  }

  async makePlan(): Promise<void> {
    const params = this.playbook?.params ?? [];
    this.touched = params.map((param) => param.name);
    if (Object.keys(this.form.errors).length > 0 || this.planning) return;
    const request = { id: this.id, subject: this.subject ?? {}, params: this.form.values };
    await this.#plan('repair', () => this.#host.call('plan', request));
  }

  /** What taking a run back would do. The run may be an older one, from the journal. */
  async planUndo(run: string): Promise<void> {
    if (this.running) return;
    if (run !== this.runId) this.startOver();
    await this.#plan('undo', () => this.#host.call('undo_plan', { run }));
  }

  /** What going on with an interrupted run would do. */
  async planResume(run: string): Promise<void> {
    if (this.running) return;
    if (run !== this.runId) this.startOver();
    await this.#plan('resume', () => this.#host.call('resume_plan', { run }));
  }

  /** The same once more, for the same subject with the same parameters, made from what is true now. */
  async renew(plan: PlanView): Promise<void> {
    if (this.planning) return;
    if (plan.resume_of !== undefined) return this.planResume(plan.resume_of);
    if (plan.undo_of !== undefined) return this.planUndo(plan.undo_of);
    const { playbook, subject, params } = plan;
    await this.#plan('repair', () => this.#host.call('plan', { id: playbook, subject, params }));
  }

  /** Trusts the script whose hash was shown, and no other. */
  async trust(sha256: string): Promise<void> {
    if (this.trusting) return;
    this.trusting = true;
    this.trustError = undefined;
    try {
      this.#take(await this.#host.call('trust', { id: this.id, sha256 }));
    } catch (thrown) {
      this.trustError = asHostError(thrown);
    } finally {
      this.trusting = false;
    }
    await this.loadChoices();
    if (this.trustError === undefined) await this.look();
  }

  review(): void {
    if (this.plan === undefined) return;
    this.phrase = '';
    this.pilotMeant = false;
    this.applyError = undefined;
    this.confirming = true;
  }

  close(): void {
    this.confirming = false;
    this.phrase = '';
    this.pilotMeant = false;
  }

  /** Sends ids and what was typed, never script text. The core checks them again. */
  async confirm(): Promise<void> {
    const { plan, act } = this;
    if (plan === undefined || this.applying) return;
    this.applying = true;
    this.applyError = undefined;
    const request = {
      plan_id: plan.plan_id,
      digest: plan.digest,
      phrase: plan.confirm.kind === 'phrase' ? this.phrase : null,
    };
    if (plan.resume_of !== undefined) this.#seen.forget(plan.resume_of);
    try {
      const { run } = await this.#host.call(CONFIRMS[act], request);
      this.runId = run;
      this.runPlan = plan;
      this.runAct = act;
      this.recordedRun = undefined;
      this.runError = undefined;
      this.unrecorded = false;
      this.cancelling = false;
      this.#quietSince = Date.now();
      this.close();
      // A short run may have ended before its id came back.
      if (this.run?.done !== undefined) await this.readRun();
    } catch (thrown) {
      this.applyError = asHostError(thrown);
    } finally {
      this.applying = false;
    }
  }

  async cancel(): Promise<void> {
    if (this.runId === undefined || this.cancelling) return;
    this.cancelling = true;
    try {
      await this.#host.call('cancel', { run: this.runId });
    } catch (thrown) {
      this.cancelling = false;
      this.runError = asHostError(thrown);
    }
  }

  /** Reads the run from the journal: how it stands, and whether it can be taken back. */
  async readRun(): Promise<void> {
    const run = this.runId;
    if (run === undefined) return;
    try {
      const view = await this.#host.call('run', { run });
      if (run === this.runId) this.recordedRun = view;
      this.runError = undefined;
    } catch (thrown) {
      if (run !== this.runId) return;
      const error = asHostError(thrown);
      // A run that was refused before it began is not in the journal as a run, nor is one that is about to begin.
      const isAbsent = error.code === 'not_found';
      this.unrecorded = isAbsent && this.run?.done?.outcome === 'refused';
      const isToCome = isAbsent && this.run?.done === undefined;
      this.runError = this.unrecorded || isToCome ? undefined : error;
    }
  }

  /** The run's last event has come. */
  ended(run: string): void {
    if (run === this.runId) void this.readRun();
  }

  /** Once a second: a run whose events stay away is read from the journal, a shown plan's checks are looked at. */
  tick(now: number): void {
    if (!this.running) {
      if (this.inSight && now - this.#checkedAt >= CHECK_MS && !document.hidden) void this.lookAtChecks(now);
      return;
    }
    if (now - this.#quietSince < QUIET_MS) return;
    this.#quietSince = now;
    void this.readRun();
  }

  /** Looks at what the manual steps of the plan wait for. */
  async lookAtChecks(now: number): Promise<void> {
    const { plan } = this;
    if (plan === undefined || !plan.steps.some((step) => step.kind === 'manual') || this.expired(now)) return;
    this.#checkedAt = now;
    try {
      const checks = await this.#host.call('plan_checks', { plan_id: plan.plan_id });
      if (this.plan !== plan) return;
      this.checks = checks;
      this.checksError = undefined;
    } catch (thrown) {
      if (this.plan === plan) this.checksError = asHostError(thrown);
    }
  }

  /** Back to the evidence, for another plan. */
  startOver(): void {
    this.#leaveRun();
    this.#dropPlan();
  }

  /** Leaves the plan of an undo or a resume; the run stays as it is. */
  leavePlan(): void {
    this.#dropPlan();
  }

  get running(): boolean {
    return this.runId !== undefined && this.run?.done === undefined && !this.interrupted;
  }

  /** The journal says that nobody carries the run out, and that nobody knows how it ended. */
  get interrupted(): boolean {
    const open = this.recordedRun?.interrupted;
    return open !== undefined && open.goes_on === undefined;
  }

  expired(now: number): boolean {
    return this.plan !== undefined && Date.parse(this.plan.expires_at) <= now;
  }

  async #plan(act: Act, ask: () => Promise<PlanView>): Promise<void> {
    this.planning = true;
    this.planError = undefined;
    this.applyError = undefined;
    this.close();
    try {
      const plan = await ask();
      this.plan = plan;
      this.checks = undefined;
      this.checksError = undefined;
      void this.lookAtChecks(Date.now());
      this.act = act;
      if (act === 'repair') this.#leaveRun();
    } catch (thrown) {
      this.planError = asHostError(thrown);
      if (act === 'repair') this.plan = undefined;
    } finally {
      this.planning = false;
    }
  }

  async #loadPage(asked: number): Promise<void> {
    try {
      const playbook = await this.#host.call('playbook', { id: this.id });
      if (asked === this.#asked) this.#take(playbook);
    } catch (thrown) {
      if (asked === this.#asked) this.loadError = asHostError(thrown);
    }
  }

  #take(playbook: PlaybookView): void {
    this.playbook = playbook;
    this.raw = carried(playbook.params, this.raw);
  }

  #leaveRun(): void {
    this.runId = undefined;
    this.runPlan = undefined;
    this.recordedRun = undefined;
    this.runError = undefined;
    this.unrecorded = false;
  }

  #dropPlan(): void {
    this.close();
    if (this.running) return;
    this.plan = undefined;
    this.planError = undefined;
    this.act = 'repair';
  }
}
