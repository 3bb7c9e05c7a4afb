import { describe, expect, test } from 'vitest';
import { checkSaid, instructionText, lasting, stillWaits } from '../../src/lib/state/waiting';
import type { LiveStep } from '../../src/lib/state/run-fold';

const AT = '2026-11-24T06:00:00Z';
const live = (over: Partial<LiveStep>): LiveStep => ({
  n: 1,
  state: 'running',
  output: [],
  hidden: 0,
  ...over,
});

describe('a step that waits', () => {
  test('counts on from its last look, and never below nothing', () => {
    const looked = { at: AT, seen: 'x', leftS: 900 };
    const at = (seconds: number): number => Date.parse(AT) + seconds * 1000;
    expect(stillWaits(looked, at(0))).toBe(900);
    expect(stillWaits(looked, at(61))).toBe(839);
    expect(stillWaits(looked, at(1000))).toBe(0);
    expect(stillWaits(looked, at(-5)), 'clocks differ').toBe(900);
  });

  test.each([
    [45, '45\u00a0s'],
    [119, '119\u00a0s'],
    [120, '2\u00a0min'],
    [900, '15\u00a0min'],
    [3600, '1\u00a0h'],
    [7500, '2\u00a0h 5\u00a0min'],
  ])('%d s are said as %s', (seconds, said) => expect(lasting(seconds)).toBe(said));

  test('is not called done before it is, and not seen is not unknown', () => {
    const words = [
      checkSaid(undefined, undefined, false),
      checkSaid(undefined, { holds: false, seen: 'held', at: AT }, false),
      checkSaid(undefined, { holds: true, seen: 'free', at: AT }, false),
      checkSaid(undefined, undefined, true),
      checkSaid(live({}), undefined, true),
      checkSaid(live({ looked: { at: AT, seen: 'held', leftS: 9 } }), undefined, true),
      checkSaid(live({ state: 'done', detail: 'free' }), undefined, true),
      checkSaid(live({ state: 'failed', detail: 'not within 900 s: held' }), undefined, true),
    ].map(({ mark, word }) => `${mark} ${word}`);
    expect(words).toEqual([
      'unknown Not looked yet',
      'off Not yet',
      'ok Done already',
      'off Looked at once this step begins',
      'busy Looking',
      'busy Not yet',
      'ok Seen',
      'crit Not seen in time',
    ]);
  });

  test('says what and where', () => {
    expect(instructionText('Call.')).toBe('Call.');
    expect(instructionText({ what: 'Click Save', where: 'Daraja portal' })).toBe(
      'Click Save (in Daraja portal)',
    );
  });
});
