/** What the window asks of whoever hosts it. Everything else in `src` sees only this interface. */
import type { Change, Commands, Update, WireError } from './generated/wire';

export type CommandName = keyof Commands;
export type Request<N extends CommandName> = Commands[N][0];
export type Answer<N extends CommandName> = Commands[N][1];

export interface Host {
  /** `tauri` in the console's own window, `fake` in a plain browser. */
  readonly kind: 'tauri' | 'fake';
  /** Calls one command. Rejects with a `HostError` only. */
  call<N extends CommandName>(name: N, request: Request<N>): Promise<Answer<N>>;
  /**
   * Opens the one live channel. Resolves once it is open; `lost` is called if it ends by itself.
   * The answer closes it.
   */
  subscribe(listener: (update: Update) => void, lost: (error: HostError) => void): Promise<() => void>;
}

/** A `WireError` that can be thrown. `code` is what the interface acts on. */
export class HostError extends Error {
  readonly code: string;
  readonly hint: string;
  /** For a refusal: what is not as planned. */
  readonly changes: readonly Change[];

  constructor(error: { code: string; message: string; hint?: string | null; changes?: readonly Change[] }) {
    // The core's messages end without a full stop: they are also parts of sentences.
    super(/[.!?…]$/.test(error.message) ? error.message : `${error.message}.`);
    this.name = 'HostError';
    this.code = error.code;
    this.hint = error.hint ?? '';
    this.changes = error.changes ?? [];
  }
}

/** Whatever was thrown, as a `HostError`. */
export function asHostError(thrown: unknown): HostError {
  if (thrown instanceof HostError) return thrown;
  if (isWireError(thrown)) return new HostError(thrown);
  const message =
    thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : 'No reason was given.';
  return new HostError({ code: 'failed', message });
}

function isWireError(value: unknown): value is WireError {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}
