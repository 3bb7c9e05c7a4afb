import { describe, expect, test } from 'vitest';
import { source, tile } from '../../src/lib/host/fake/stack';
import { isStale, SILENCE_MS, tileIsStale, whyUnknown } from '../../src/lib/state/stale';
import { serviceWord } from '../../src/lib/state/words';

const now = Date.parse('2026-11-24T10:00:00Z');
const before = (ms: number): string => new Date(now - ms).toISOString();

describe('staleness', () => {
  test('is what the core says of the source', () => {
    expect(isStale(source('docker', { status: 'stale', as_of: before(1000) }), now)).toBe(true);
    expect(isStale(source('docker', { status: 'down', as_of: null }), now)).toBe(true);
    expect(isStale(source('docker', { as_of: before(1000) }), now)).toBe(false);
  });

  test('also comes when the core itself falls silent', () => {
    expect(isStale(source('docker', { as_of: before(SILENCE_MS) }), now), 'at the limit').toBe(false);
    expect(isStale(source('docker', { as_of: before(SILENCE_MS + 1) }), now), 'past the limit').toBe(true);
  });

  test('of a tile follows its source and its own reading', () => {
    const docker = source('docker', { as_of: before(0) });
    expect(tileIsStale(tile('redis', { as_of: before(0) }), docker, now)).toBe(false);
    expect(tileIsStale(tile('redis', { as_of: before(SILENCE_MS + 1) }), docker, now)).toBe(true);
    expect(tileIsStale(tile('redis', { as_of: before(0) }), { ...docker, status: 'stale' }, now)).toBe(true);
  });

  test('turns the word into the past, and leaves unknown unknown', () => {
    expect(serviceWord(tile('redis'), true)).toBe('Was healthy');
    expect(serviceWord(tile('redis', { mark: 'unknown' }), true)).toBe('Unknown');
  });

  test('comes with a reason', () => {
    expect(whyUnknown(source('redis'))).toBeUndefined();
    expect(whyUnknown(source('redis', { status: 'down' }))).toBe("redis can't be read");
    expect(whyUnknown(source('redis', { status: 'down', error: 'refused' }))).toBe('refused');
  });
});
