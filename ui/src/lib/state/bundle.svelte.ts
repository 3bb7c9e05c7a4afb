/**
 * The bundle: what is to go into it, its making, what was made, and where it was written; or the bundle that the window
 * was opened on. What was typed stays, whatever fails. No markup.
 */
import type { BundlePreview, BundleView, BundleWritten, FileRow } from '../host/generated/wire';
import { asHostError, type Host, type HostError } from '../host/host';
import { COLLECTORS, EMPTY_FORM, requestOfForm, type BundleForm } from './bundle-request';

/** What is done while it is made, and when it was said. */
export interface Progress {
  readonly line: string;
  /** Milliseconds since it began. */
  readonly at: number;
}

/** One file that is looked at. */
export interface OpenFile {
  readonly row: FileRow;
  readonly text?: string;
  /** Bytes that are not shown. */
  readonly leftOut?: number;
  readonly error?: HostError;
}

/** Lines of progress that are kept: far more than there are collectors. */
const MOST_LINES = 200;

export class Bundle {
  form = $state.raw<BundleForm>(EMPTY_FORM);
  collectors = $state.raw<Readonly<Record<string, string>>>(COLLECTORS);
  /** The form lies over a bundle that was made. */
  editing = $state(false);

  /** When making it began; `undefined`: none is being made. */
  began = $state<number | undefined>();
  progress = $state.raw<readonly Progress[]>([]);
  cancelling = $state(false);
  /** Why none was made. */
  error = $state.raw<HostError | undefined>();
  /** The last one was stopped by whoever wanted it. */
  stopped = $state(false);

  preview = $state.raw<BundlePreview | undefined>();
  /** Where it will be written, as it was typed. */
  place = $state('');
  saving = $state(false);
  saveError = $state.raw<HostError | undefined>();
  written = $state.raw<BundleWritten | undefined>();

  /** What the window was opened on. */
  opened = $state.raw<BundleView | undefined>();
  openedError = $state.raw<HostError | undefined>();

  file = $state.raw<OpenFile | undefined>();

  readonly #host: Host;
  readonly #say: (text: string) => void;
  #asked = 0;
  #askedFile = 0;

  constructor(host: Host, say: (text: string) => void) {
    this.#host = host;
    this.#say = say;
  }

  get making(): boolean {
    return this.began !== undefined;
  }

  /** The bundle that is in sight. */
  get shown(): BundleView | undefined {
    return this.opened ?? this.preview?.bundle;
  }

  set(over: Partial<BundleForm>): void {
    this.form = { ...this.form, ...over };
  }

  toggle(collector: string, on: boolean): void {
    const others = this.form.without.filter((one) => one !== collector);
    this.set({ without: on ? others : [...others, collector] });
  }

  /** Somebody wants one about this run. One that was made about something else stays, below the form. */
  about(run: string): void {
    if (this.making) return;
    if (this.form.run !== run) this.editing = true;
    this.set({ run });
  }

  /** Collects, cleans and packs. Nothing is written. */
  async collect(): Promise<void> {
    if (this.making) return;
    const number = ++this.#asked;
    this.began = Date.now();
    this.progress = [];
    this.cancelling = false;
    this.error = undefined;
    this.stopped = false;
    this.#drop();
    try {
      const preview = await this.#host.call('bundle_preview', requestOfForm(this.form, this.began));
      if (number === this.#asked) this.#show(preview);
    } catch (thrown) {
      if (number === this.#asked) this.#fail(asHostError(thrown));
    } finally {
      if (number === this.#asked) this.#end();
    }
  }

  async cancel(): Promise<void> {
    if (!this.making || this.cancelling) return;
    const number = this.#asked;
    this.cancelling = true;
    try {
      await this.#host.call('bundle_cancel', {});
    } catch (thrown) {
      if (number !== this.#asked) return;
      this.cancelling = false;
      this.error = asHostError(thrown);
    }
  }

  hear(line: string): void {
    if (this.began === undefined) return;
    this.progress = [...this.progress, { line, at: Date.now() - this.began }].slice(-MOST_LINES);
  }

  /** The core is gone, and with it what it was making. */
  lose(error: HostError): void {
    if (!this.making) return;
    this.#asked += 1;
    this.#fail(error);
    this.#end();
  }

  /** Writes what is shown, and no other. */
  async save(): Promise<void> {
    const digest = this.preview?.bundle.digest;
    if (digest === undefined || this.saving || this.written !== undefined) return;
    this.saving = true;
    this.saveError = undefined;
    try {
      const written = await this.#host.call('bundle_save', { digest, file: this.place.trim() });
      if (digest !== this.preview?.bundle.digest) return;
      this.written = written;
      this.#say('The bundle is written. Nothing was sent.');
    } catch (thrown) {
      this.saveError = asHostError(thrown);
      this.#say('The bundle was not written');
    } finally {
      this.saving = false;
    }
  }

  /** Reads what the window was opened on. */
  async readOpened(): Promise<void> {
    this.openedError = undefined;
    try {
      this.opened = await this.#host.call('bundle_opened', {});
    } catch (thrown) {
      this.openedError = asHostError(thrown);
    }
  }

  /** Shows a file: what is known of it, and its text where it has one. */
  async look(row: FileRow): Promise<void> {
    const digest = this.shown?.digest;
    if (digest === undefined) return;
    const number = ++this.#askedFile;
    this.file = { row };
    if (row.state !== 'ok') return;
    try {
      const { text, left_out: leftOut } = await this.#host.call('bundle_file', { digest, path: row.path });
      if (number === this.#askedFile) this.file = { row, text, leftOut };
    } catch (thrown) {
      if (number === this.#askedFile) this.file = { row, error: asHostError(thrown) };
    }
  }

  closeFile(): void {
    this.#askedFile += 1;
    this.file = undefined;
  }

  #show(preview: BundlePreview): void {
    this.preview = preview;
    this.collectors = preview.collectors;
    this.place = preview.file;
    this.editing = false;
    this.#say('The bundle is made. Nothing is written yet.');
  }

  #fail(error: HostError): void {
    this.stopped = error.code === 'cancelled';
    this.error = this.stopped ? undefined : error;
    this.#say(this.stopped ? 'Stopped. Nothing was written.' : 'No bundle was made');
  }

  #end(): void {
    this.began = undefined;
    this.cancelling = false;
  }

  /** The core keeps one bundle: with the next one the last is gone. */
  #drop(): void {
    this.preview = undefined;
    this.written = undefined;
    this.saveError = undefined;
    this.editing = false;
    this.closeFile();
  }
}
