/** A step's own part of what was ticked off in a run. */
import type { Ticks } from '../lib/state/ticks.svelte';
import type { Ticking } from './Checklist.svelte';

export function ticking(ticks: Ticks, run: string, step: number): Ticking {
  return {
    has: (line) => ticks.has(run, step, line),
    set: (line, on) => ticks.set(run, step, line, on),
  };
}
