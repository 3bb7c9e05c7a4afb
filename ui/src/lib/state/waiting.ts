/** A step that waits: its instructions as text, and how its automatic check stands, in words. */
import type { Instruction } from '../host/generated/wire';
import type { StatusMark } from '../kit/status';
import type { LiveStep, Looked } from './run-fold';

export interface Told {
  readonly what: string;
  readonly where: string | undefined;
}

export function told(instruction: Instruction): Told {
  return typeof instruction === 'string'
    ? { what: instruction, where: undefined }
    : { what: instruction.what, where: instruction.where };
}

/** One line, for a shell's comment. */
export function instructionText(instruction: Instruction): string {
  const { what, where } = told(instruction);
  return where === undefined ? what : `${what} (in ${where})`;
}

/** Whole seconds that a step still waits, counted on from its last look. */
export function stillWaits(looked: Looked, now: number): number {
  const since = Math.max(0, now - Date.parse(looked.at)) / 1000;
  return Math.max(0, Math.round(looked.leftS - since));
}

/** Seconds as one would say them: `45 s`, `12 min`, `2 h 5 min`. */
export function lasting(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)}\u00a0s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)}\u00a0h${rest === 0 ? '' : ` ${rest}\u00a0min`}`;
}

/** How a manual step's check stands before the plan is confirmed. */
export interface CheckNow {
  readonly holds: boolean;
  readonly seen: string;
  readonly at: string;
}

export interface CheckSaid {
  readonly mark: StatusMark;
  readonly word: string;
  /** What is seen. */
  readonly seen?: string;
  /** When it was looked. */
  readonly at?: string;
}

/** The check of a step that waits: in a plan by `now`, in a run by `live`. */
export function checkSaid(
  live: LiveStep | undefined,
  now: CheckNow | undefined,
  running: boolean,
): CheckSaid {
  if (!running) {
    if (now === undefined) return { mark: 'unknown', word: 'Not looked yet' };
    const said = { seen: now.seen, at: now.at };
    return now.holds
      ? { mark: 'ok', word: 'Done already', ...said }
      : { mark: 'off', word: 'Not yet', ...said };
  }
  switch (live?.state) {
    case 'done':
    case 'undone':
      return { mark: 'ok', word: 'Seen', seen: live.detail };
    case 'failed':
      return { mark: 'crit', word: 'Not seen in time', seen: live.detail };
    case 'interrupted':
      return { mark: 'warn', word: 'Interrupted' };
    case 'running':
      return live.looked === undefined
        ? { mark: 'busy', word: 'Looking' }
        : { mark: 'busy', word: 'Not yet', seen: live.looked.seen, at: live.looked.at };
    default:
      return { mark: 'off', word: 'Looked at once this step begins' };
  }
}
