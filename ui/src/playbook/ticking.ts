/** A step's own part of what was ticked off in a run. */
import type { Ticks } from '../lib/state/ticks.svelte';

/** What was ticked off by hand; without it nothing can be. */
export interface Ticking {
  has: (line: number) => boolean;
  set: (line: number, on: boolean) => void;
}

export function ticking(ticks: Ticks, run: string, step: number): Ticking {
  return {
    has: (line) => ticks.has(run, step, line),
    set: (line, on) => ticks.set(run, step, line, on),
  };
}
