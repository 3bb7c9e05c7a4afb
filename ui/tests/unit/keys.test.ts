import { describe, expect, test, vi } from 'vitest';
import {
  KeyRegistry,
  KEYS,
  PRINTED,
  keysOf,
  SEQUENCE_MS,
  type KeyId,
  type Pressed,
} from '../../src/lib/keys/registry';

const press = (keys: KeyRegistry, key: string, over: Partial<Pressed> = {}): boolean =>
  keys.press({
    key,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    inField: false,
    ownMoves: false,
    modal: false,
    at: 0,
    ...over,
  });

/** As the browser names the key. */
const named = (key: string): string =>
  Object.entries(PRINTED).find(([, printed]) => printed === key)?.[0] ?? key;

function bound(id: KeyId): { keys: KeyRegistry; run: ReturnType<typeof vi.fn<() => void>> } {
  const keys = new KeyRegistry();
  const run = vi.fn<() => void>();
  keys.bind(id, { run });
  return { keys, run };
}

describe('the list of keys', () => {
  test('has each id and each key once', () => {
    expect(new Set(KEYS.map((entry) => entry.id)).size).toBe(KEYS.length);
    expect(new Set(KEYS.map((entry) => entry.keys)).size).toBe(KEYS.length);
  });

  test('has no single key that is also the first of a pair: it could never be told apart', () => {
    const firsts = KEYS.filter((entry) => entry.keys.includes(' ')).map((entry) => entry.keys.split(' ')[0]);
    for (const entry of KEYS) expect(firsts, `${entry.id}`).not.toContain(entry.keys);
  });

  test('has a label for each, and no key acts on the stack by itself', () => {
    for (const entry of KEYS) expect(entry.label.length, entry.id).toBeGreaterThan(3);
    expect(KEYS.map((entry) => entry.id as string)).not.toContain('confirm');
  });
});

describe('pressing', () => {
  test.each(KEYS.filter((entry) => entry.id !== 'open'))('$keys does $id', ({ id, keys: wanted }) => {
    const { keys, run } = bound(id);
    wanted.split(' ').forEach((key, i) => press(keys, named(key), { at: i * 10 }));
    expect(run).toHaveBeenCalledOnce();
  });

  test('the second key of a pair comes too late', () => {
    const { keys, run } = bound('go-runbook');
    press(keys, 'g', { at: 0 });
    press(keys, 'r', { at: SEQUENCE_MS + 1 });
    expect(run).not.toHaveBeenCalled();
  });

  test('a key with a modifier belongs to the system', () => {
    const { keys, run } = bound('triage');
    for (const modifier of ['ctrlKey', 'metaKey', 'altKey']) press(keys, 't', { [modifier]: true });
    expect(run).not.toHaveBeenCalled();
  });

  test('in a field letters are letters, and Escape still closes', () => {
    const { keys, run } = bound('triage');
    expect(press(keys, 't', { inField: true })).toBe(false);
    expect(run).not.toHaveBeenCalled();
    const close = bound('close');
    expect(press(close.keys, 'Escape', { inField: true })).toBe(true);
    expect(close.run).toHaveBeenCalledOnce();
  });

  test('under a dialog only its own keys count', () => {
    const { keys, run } = bound('triage');
    expect(press(keys, 't', { modal: true })).toBe(false);
    expect(run).not.toHaveBeenCalled();
    const close = bound('close');
    expect(press(close.keys, 'Escape', { modal: true })).toBe(true);
  });

  test('arrows belong to what has arrows of its own', () => {
    const { keys, run } = bound('log-down');
    expect(press(keys, 'ArrowDown', { ownMoves: true })).toBe(false);
    expect(run).not.toHaveBeenCalled();
    expect(press(keys, 'ArrowDown')).toBe(true);
  });

  test('Enter is left to the element that has the focus', () => {
    expect(press(new KeyRegistry(), 'Enter')).toBe(false);
  });

  test('the newest binding wins, and taking it back brings the older one back', () => {
    const { keys, run } = bound('close');
    const inner = vi.fn<() => void>();
    const unbind = keys.bind('close', { run: inner });
    press(keys, 'Escape');
    unbind();
    press(keys, 'Escape');
    expect([inner.mock.calls.length, run.mock.calls.length]).toEqual([1, 1]);
  });

  test('a key that can not be used says why and does nothing', () => {
    const keys = new KeyRegistry();
    const run = vi.fn<() => void>();
    keys.bind('review', { run, why: () => 'needs a plan' });
    expect(press(keys, keysOf('review'))).toBe(false);
    expect(run).not.toHaveBeenCalled();
    expect(keys.why('review')).toBe('needs a plan');
    expect(keys.why('undo')).toBe('not on this page');
  });
});
