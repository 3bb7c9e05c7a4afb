/** The operator's answer to an interrupted run: look and close it, or see the plan of the rest, or of the way back. */
import type { RunView } from '../host/generated/wire';
import { asHostError, type Host, type HostError } from '../host/host';
import type { Remedy } from './remedy.svelte';
import { playbookHref } from './route';

export type Answer = 'verify' | 'resume' | 'undo';

/** What an answer needs of the window. */
export interface Around {
  remedy(playbook: string): Remedy;
  go(hash: string): void;
  say(text: string): void;
  /** The journal has something new. */
  journalMoved(): void;
}

export class Answers {
  /** Which one is being prepared. */
  given = $state.raw<{ run: string; answer: Answer } | undefined>();
  failed = $state.raw<{ run: string; error: HostError } | undefined>();
  readonly #host: Host;
  readonly #around: Around;

  constructor(host: Host, around: Around) {
    this.#host = host;
    this.#around = around;
  }

  /** Resume and undo lead to their plan, where they are confirmed like any other; nothing is done here. */
  async give(run: RunView, answer: Answer): Promise<void> {
    if (this.given !== undefined) return;
    this.given = { run: run.run, answer };
    this.failed = undefined;
    const error = await (answer === 'verify' ? this.#verify(run) : this.#plan(run, answer));
    this.given = undefined;
    if (error !== undefined) this.failed = { run: run.run, error };
  }

  async #verify({ run }: RunView): Promise<HostError | undefined> {
    try {
      const { outcome } = await this.#host.call('verify_run', { run });
      this.#around.say(
        outcome === 'fixed'
          ? 'Looked: the fault is gone. The run is closed.'
          : 'Looked: the run is closed with what was seen.',
      );
      return undefined;
    } catch (thrown) {
      return asHostError(thrown);
    } finally {
      this.#around.journalMoved();
    }
  }

  async #plan(
    { run, playbook, subject }: RunView,
    answer: 'resume' | 'undo',
  ): Promise<HostError | undefined> {
    const remedy = this.#around.remedy(playbook);
    await (answer === 'resume' ? remedy.planResume(run) : remedy.planUndo(run));
    if (remedy.planError !== undefined) return remedy.planError;
    this.#around.go(playbookHref(playbook, subject));
    return undefined;
  }
}
