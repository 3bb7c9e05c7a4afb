/** The window's state: what the core has said, which page is open, what is being repaired. No markup. */
import { getContext, setContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { CatalogView, PlaybookView, RunsView, Update } from '../host/generated/wire';
import { asHostError, type Host, type HostError } from '../host/host';
import { KeyRegistry } from '../keys/registry';
import { fold, NOTHING, type Known } from './fold';
import { unanswered, wrongNow } from './findings';
import { Remedy } from './remedy.svelte';
import { parse, type Route } from './route';
import { Theme } from './theme.svelte';

export type Link = 'opening' | 'open' | 'lost';

export class Console {
  readonly host: Host;
  readonly keys = new KeyRegistry();
  readonly theme = new Theme();

  known = $state.raw<Known>(NOTHING);
  link = $state<Link>('opening');
  linkError = $state.raw<HostError | undefined>();
  /** Ticks once a second; every age is counted from it. */
  now = $state(Date.now());
  route = $state.raw<Route>(parse(location.hash));
  catalog = $state.raw<CatalogView | undefined>();
  catalogError = $state.raw<HostError | undefined>();
  runs = $state.raw<RunsView | undefined>();
  runsError = $state.raw<HostError | undefined>();
  triaging = $state(false);
  triageError = $state.raw<HostError | undefined>();
  /** Said to screen readers. */
  said = $state('');
  sheetOpen = $state(false);

  readonly #remedies = new SvelteMap<string, Remedy>();
  #close: (() => void) | undefined;
  #opening = 0;

  constructor(host: Host) {
    this.host = host;
    window.addEventListener('hashchange', () => (this.route = parse(location.hash)));
    setInterval(() => {
      this.now = Date.now();
      for (const remedy of this.#remedies.values()) remedy.tick(this.now);
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

  async loadRuns(): Promise<void> {
    this.runsError = undefined;
    try {
      this.runs = await this.host.call('runs', {});
    } catch (thrown) {
      this.runsError = asHostError(thrown);
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
    const remedy = new Remedy(this.host, id, (run) => this.known.runs.get(run));
    this.#remedies.set(id, remedy);
    return remedy;
  }

  get readOnly(): boolean {
    return this.known.snapshot?.environment.read_only ?? true;
  }

  #hear(update: Update): void {
    this.known = fold(this.known, update);
    if (this.link === 'lost') this.link = 'open';
    if (update.type === 'run' && update.event.event === 'run_done') {
      for (const remedy of this.#remedies.values()) remedy.ended(update.run);
      void this.loadRuns();
    }
  }

  #lose(error: HostError): void {
    this.link = 'lost';
    this.linkError = error;
  }
}

const CONTEXT = Symbol('console');

export function provideConsole(console: Console): void {
  setContext(CONTEXT, console);
}

export function useConsole(): Console {
  return getContext<Console>(CONTEXT);
}
