/**
 * Every key in one list. The cheat-sheet, the hints on buttons and what a key does all come from here.
 * A part of the window binds what its key does while it is on screen; an unbound key does nothing and says so on the sheet.
 */

export type KeyGroup = 'Go' | 'Anywhere' | 'In lists' | 'In the logs' | 'On a repair';

export interface KeyEntry {
  readonly id: KeyId;
  /** Keys in order, separated by a space: `g o` is g, then o. */
  readonly keys: string;
  readonly label: string;
  readonly group: KeyGroup;
  /** Also while typing in a field. */
  readonly inFields?: boolean;
  /** Not where the focus is on something that has such keys of its own, as radio buttons and what scrolls. */
  readonly moves?: boolean;
  /** Also while a dialog lies over the page. */
  readonly inModal?: boolean;
}

export type KeyId =
  | 'go-overview'
  | 'go-runbook'
  | 'go-logs'
  | 'go-journal'
  | 'go-bundle'
  | 'triage'
  | 'sheet'
  | 'search'
  | 'close'
  | 'theme'
  | 'next'
  | 'previous'
  | 'open'
  | 'log-up'
  | 'log-down'
  | 'log-page-up'
  | 'log-page-down'
  | 'log-first'
  | 'log-last'
  | 'log-follow'
  | 'log-all'
  | 'log-1m'
  | 'log-5m'
  | 'log-15m'
  | 'log-1h'
  | 'log-6h'
  | 'make-plan'
  | 'review'
  | 'renew'
  | 'resume'
  | 'undo';

export const KEYS: readonly KeyEntry[] = [
  { id: 'go-overview', keys: 'g o', label: 'Overview', group: 'Go' },
  { id: 'go-runbook', keys: 'g r', label: 'Runbook', group: 'Go' },
  { id: 'go-logs', keys: 'g l', label: 'Logs', group: 'Go' },
  { id: 'go-journal', keys: 'g j', label: 'Journal', group: 'Go' },
  { id: 'go-bundle', keys: 'g b', label: 'Bundle', group: 'Go' },
  { id: 'triage', keys: 't', label: 'Triage: look at everything again', group: 'Anywhere' },
  { id: 'search', keys: '/', label: 'Search', group: 'Anywhere' },
  { id: 'theme', keys: 'd', label: 'Theme: system, light, dark', group: 'Anywhere' },
  { id: 'sheet', keys: '?', label: 'This sheet', group: 'Anywhere', inModal: true },
  {
    id: 'close',
    keys: 'Esc',
    label: 'Close what is open; confirm nothing',
    group: 'Anywhere',
    inFields: true,
    inModal: true,
  },
  { id: 'next', keys: 'j', label: 'Next', group: 'In lists' },
  { id: 'previous', keys: 'k', label: 'Previous', group: 'In lists' },
  { id: 'open', keys: 'Enter', label: 'Open', group: 'In lists' },
  { id: 'log-up', keys: '↑', label: 'The line before', group: 'In the logs', moves: true },
  { id: 'log-down', keys: '↓', label: 'The line after', group: 'In the logs', moves: true },
  { id: 'log-page-up', keys: 'PgUp', label: 'A page back', group: 'In the logs', moves: true },
  { id: 'log-page-down', keys: 'PgDn', label: 'A page on', group: 'In the logs', moves: true },
  { id: 'log-first', keys: 'Home', label: 'The first line', group: 'In the logs', moves: true },
  { id: 'log-last', keys: 'End', label: 'The last line, and follow', group: 'In the logs', moves: true },
  { id: 'log-follow', keys: 'f', label: 'Follow, or hold still', group: 'In the logs' },
  { id: 'log-1m', keys: '1', label: 'The last minute', group: 'In the logs' },
  { id: 'log-5m', keys: '2', label: 'The last 5 minutes', group: 'In the logs' },
  { id: 'log-15m', keys: '3', label: 'The last 15 minutes', group: 'In the logs' },
  { id: 'log-1h', keys: '4', label: 'The last hour', group: 'In the logs' },
  { id: 'log-6h', keys: '5', label: 'The last 6 hours', group: 'In the logs' },
  { id: 'log-all', keys: '0', label: 'As far back as the logs go', group: 'In the logs' },
  { id: 'make-plan', keys: 'p', label: 'Make a plan', group: 'On a repair' },
  { id: 'review', keys: 'c', label: 'Review and confirm', group: 'On a repair' },
  { id: 'renew', keys: 'n', label: 'Make a new plan in place of a refused one', group: 'On a repair' },
  { id: 'resume', keys: 'r', label: 'Show what resuming a run would do', group: 'On a repair' },
  { id: 'undo', keys: 'u', label: 'Show what an undo would do', group: 'On a repair' },
];

/** Keys by what is printed on them, where the browser names them in another way. */
export const PRINTED: Readonly<Record<string, string | undefined>> = {
  Escape: 'Esc',
  ArrowUp: '↑',
  ArrowDown: '↓',
  PageUp: 'PgUp',
  PageDown: 'PgDn',
};

export interface KeyHandler {
  run: () => void;
  /** Why it can't be used now. */
  why?: () => string | undefined;
}

/** The part of a keyboard event that matters here. */
export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  /** The event went to a text field or a choice. */
  inField: boolean;
  /** It went to something that has keys of its own to move with. */
  ownMoves: boolean;
  /** A dialog lies over the page: only its own keys count. */
  modal: boolean;
  at: number;
}

/** How long after `g` the second key still counts. */
export const SEQUENCE_MS = 1200;

export class KeyRegistry {
  readonly #handlers = new Map<KeyId, KeyHandler[]>();
  #first: { key: string; at: number } | undefined;

  /** Binds what a key does; the newest binding wins. The answer takes it back. */
  bind(id: KeyId, handler: KeyHandler): () => void {
    const stack = this.#handlers.get(id) ?? [];
    this.#handlers.set(id, [...stack, handler]);
    return () => {
      this.#handlers.set(
        id,
        (this.#handlers.get(id) ?? []).filter((other) => other !== handler),
      );
    };
  }

  /** Why a key does nothing here; `undefined` when it does something. */
  why(id: KeyId): string | undefined {
    if (id === 'open') return undefined;
    const handler = this.#handlers.get(id)?.at(-1);
    return handler === undefined ? 'not on this page' : handler.why?.();
  }

  /** Does what the key says. Answers whether it did, so that the caller can stop the event. */
  press(pressed: Pressed): boolean {
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return false;
    const key = PRINTED[pressed.key] ?? pressed.key;
    if (pressed.modal) {
      const own = KEYS.find((entry) => entry.keys === key && entry.inModal === true);
      return own !== undefined && this.#run(own.id);
    }
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined && pressed.at - first.at <= SEQUENCE_MS && !pressed.inField) {
      const pair = KEYS.find((entry) => entry.keys === `${first.key} ${key}`);
      if (pair !== undefined) return this.#run(pair.id);
    }
    const entry = KEYS.find((candidate) => candidate.keys === key);
    if (entry !== undefined && entry.id !== 'open') {
      if (pressed.inField && entry.inFields !== true) return false;
      if (pressed.ownMoves && entry.moves === true) return false;
      return this.#run(entry.id);
    }
    if (!pressed.inField && KEYS.some((candidate) => candidate.keys.startsWith(`${key} `))) {
      this.#first = { key, at: pressed.at };
      return true;
    }
    return false;
  }

  #run(id: KeyId): boolean {
    const handler = this.#handlers.get(id)?.at(-1);
    if (handler === undefined || handler.why?.() !== undefined) return false;
    handler.run();
    return true;
  }
}

export function keysOf(id: KeyId): string {
  return KEYS.find((entry) => entry.id === id)?.keys ?? '';
}
