/** What a person has ticked off of a manual step's instructions; kept while the window is open. It decides nothing. */
import { SvelteSet } from 'svelte/reactivity';

export class Ticks {
  readonly #ticked = new SvelteSet<string>();

  has(run: string, step: number, line: number): boolean {
    return this.#ticked.has(key(run, step, line));
  }

  set(run: string, step: number, line: number, on: boolean): void {
    if (on) this.#ticked.add(key(run, step, line));
    else this.#ticked.delete(key(run, step, line));
  }
}

function key(run: string, step: number, line: number): string {
  return `${run}/${step}/${line}`;
}
