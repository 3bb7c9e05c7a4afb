/** The window's state: what the core has said, which page is open, what is being repaired. No markup. */
import { getContext, setContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type {
  Captured,
  CatalogView,
  Evidence,
  PlaybookView,
  RunbookRow,
  RunbookView,
  RunsView,
  RunView,
  Subject,
  Update,
} from '../host/generated/wire';
import { asHostError, type Host, type HostError } from '../host/host';
import { KeyRegistry } from '../keys/registry';
import { instant } from '../kit/format';
import { Answers } from './answers.svelte';
import { Bundle } from './bundle.svelte';
import { fold, forget, NOTHING, type Known } from './fold';
import { unanswered, wrongNow } from './findings';
import { unended } from './interrupted';
import { Log } from './log.svelte';
import { evidenceHref } from './log-question';
import { Remedy } from './remedy.svelte';
import { parse, type Route } from './route';
import { Theme } from './theme.svelte';
import { Ticks } from './ticks.svelte';

export type Link = 'opening' | 'open' | 'lost';

export class Console {
  readonly host: Host;
  readonly keys = new KeyRegistry();
  readonly theme = new Theme();
  readonly answers: Answers;
  readonly ticks = new Ticks();
  readonly log: Log;
  readonly bundle: Bundle;

  known = $state.raw<Known>(NOTHING);
  link = $state<Link>('opening');
  linkError = $state.raw<HostError | undefined>();
  route = $state.raw<Route>(parse(location.hash));
  catalog = $state.raw<CatalogView | undefined>();
  catalogError = $state.raw<HostError | undefined>();
  /** What is remembered of each row; why it can't be told. */
  runbook = $state.raw<RunbookView | undefined>();
  runbookError = $state.raw<HostError | undefined>();
  runs = $state.raw<RunsView | undefined>();
  runsError = $state.raw<HostError | undefined>();
  triaging = $state(false);
  triageError = $state.raw<HostError | undefined>();
  /** Said to screen readers. */
  said = $state('');
  sheetOpen = $state(false);

  /** Ticks once a second. */
  #clock = $state(Date.now());
  readonly #remedies = new SvelteMap<string, Remedy>();
  #close: (() => void) | undefined;
  #opening = 0;
  #readingRuns: number | undefined;
  #runsMoved = false;

  constructor(host: Host) {
    this.host = host;
    this.log = new Log(host, () => ({ now: this.now, isMoving: this.captured === undefined }));
    this.bundle = new Bundle(host, (text) => (this.said = text));
    this.answers = new Answers(host, {
      remedy: (playbook) => this.remedy(playbook),
      go: (hash) => this.go(hash),
      say: (text) => (this.said = text),
      journalMoved: () => void this.loadRuns(),
    });
    window.addEventListener('hashchange', () => (this.route = parse(location.hash)));
    setInterval(() => {
      this.#clock = Date.now();
      for (const remedy of this.#remedies.values()) remedy.tick(this.#clock);
    }, 1000);
  }

  /** Opens the channel and asks for the present state; also the way back after the link was lost. */
  async open(): Promise<void> {
    const opening = ++this.#opening;
    this.#close?.();
    this.#close = undefined;
    this.link = 'opening';
    this.linkError = undefined;
    this.known = { ...NOTHING, runs: this.known.runs };
    const hear = (update: Update): void => {
      if (opening === this.#opening) this.#hear(update);
    };
    const lose = (error: HostError): void => {
      if (opening === this.#opening) this.#lose(error);
    };
    try {
      this.#close = await this.host.subscribe(hear, lose);
      const snapshot = await this.host.call('snapshot', {});
      hear({ type: 'snapshot', snapshot });
      if (opening === this.#opening) this.link = 'open';
    } catch (thrown) {
      lose(asHostError(thrown));
      return;
    }
    void this.loadCatalog();
    void this.loadRuns();
    void this.loadRunbook();
    if (this.known.triage === undefined) void this.look();
  }

  /** Looks at everything again: all playbooks' verdicts. */
  async look(): Promise<void> {
    if (this.triaging) return;
    this.triaging = true;
    this.triageError = undefined;
    try {
      const triage = await this.host.call('triage', {});
      this.#hear({ type: 'triage', triage });
      this.said = `Looked again: ${wrongNow(triage).length} wrong now, ${unanswered(triage).length} not answered`;
    } catch (thrown) {
      this.triageError = asHostError(thrown);
    } finally {
      this.triaging = false;
    }
  }

  async loadCatalog(): Promise<void> {
    this.catalogError = undefined;
    try {
      this.catalog = await this.host.call('playbooks', {});
    } catch (thrown) {
      this.catalogError = asHostError(thrown);
    }
  }

  /** Reads when each row was last seen and drilled. */
  async loadRunbook(): Promise<void> {
    const opening = this.#opening;
    try {
      const runbook = await this.host.call('runbook', {});
      if (opening !== this.#opening) return;
      this.runbook = runbook;
      this.runbookError = undefined;
    } catch (thrown) {
      if (opening === this.#opening) this.runbookError = asHostError(thrown);
    }
  }

  /** What is remembered of a playbook's row. */
  remembered(id: string): RunbookRow | undefined {
    return this.runbook?.rows.find((row) => row.playbook === id);
  }

  /** Why it is unknown when rows were last seen. */
  get seenError(): string | undefined {
    return this.runbookError?.message ?? this.runbook?.seen_error;
  }

  /** Why it is unknown what was drilled. */
  get drilledError(): string | undefined {
    return this.runbookError?.message ?? this.runbook?.drilled_error;
  }

  /** Reads the journal's runs. While it is being read it is asked once more at most. */
  async loadRuns(): Promise<void> {
    const opening = this.#opening;
    if (this.#readingRuns === opening) {
      this.#runsMoved = true;
      return;
    }
    this.#readingRuns = opening;
    try {
      do {
        this.#runsMoved = false;
        const runs = await this.host.call('runs', {});
        if (opening !== this.#opening) return;
        this.runs = runs;
        this.runsError = undefined;
      } while (this.#runsMoved);
    } catch (thrown) {
      if (opening === this.#opening) this.runsError = asHostError(thrown);
    } finally {
      if (opening === this.#opening) this.#readingRuns = undefined;
    }
  }

  go(hash: string): void {
    location.hash = hash;
    this.route = parse(hash);
  }

  playbook(id: string): PlaybookView | undefined {
    return this.catalog?.playbooks.find((playbook) => playbook.id === id);
  }

  /** The repair on a playbook's page; kept when the page is left while it goes on. */
  remedy(id: string): Remedy {
    const kept = this.#remedies.get(id);
    if (kept !== undefined) return kept;
    const remedy = new Remedy(this.host, id, {
      live: (run) => this.known.runs.get(run),
      forget: (run) => (this.known = forget(this.known, run)),
      isCaptured: () => this.captured !== undefined,
    });
    this.#remedies.set(id, remedy);
    return remedy;
  }

  /** Runs whose end is not on record, as far as the journal could be read. */
  get unended(): RunView[] {
    return unended(this.runs, this.known.runs);
  }

  /** Where the log is that evidence was read from; `undefined`: it was read from somewhere else. */
  logHref(line: Evidence, subject: Subject | undefined): string | undefined {
    const services = this.known.snapshot?.services.map((one) => one.service) ?? [];
    return evidenceHref(line, subject ?? {}, services, this.now);
  }

  /** The bundle that is shown in place of the stack itself; `undefined`: it is the stack. */
  get captured(): Captured | undefined {
    return this.known.snapshot?.environment.captured;
  }

  /** Every age is counted from it: in a bundle nothing grows older than it was then. */
  get now(): number {
    return instant(this.captured?.at) ?? this.#clock;
  }

  get readOnly(): boolean {
    return this.known.snapshot?.environment.read_only ?? true;
  }

  #hear(update: Update): void {
    const before = this.known;
    this.known = fold(before, update);
    // Another console may have ended in the middle of a run.
    if (update.type === 'triage' && this.known !== before) {
      void this.loadRuns();
      if (seenRows(before) !== seenRows(this.known)) void this.loadRunbook();
    }
    if (update.type === 'log') this.log.hear(update.news);
    if (update.type === 'bundle') this.bundle.hear(update.line);
    if (this.link === 'lost') this.link = 'open';
    if (update.type === 'run' && update.event.event === 'run_done') {
      for (const remedy of this.#remedies.values()) remedy.ended(update.run);
      void this.loadRuns();
    }
  }

  #lose(error: HostError): void {
    this.link = 'lost';
    this.linkError = error;
    this.bundle.lose(error);
  }
}

/** Which rows are seen: what is remembered of them changes with it. */
function seenRows({ triage }: Known): string {
  return triage === undefined
    ? ''
    : wrongNow(triage)
        .map((one) => one.playbook)
        .sort()
        .join();
}

const CONTEXT = Symbol('console');

export function provideConsole(console: Console): void {
  setContext(CONTEXT, console);
}

export function useConsole(): Console {
  return getContext<Console>(CONTEXT);
}
