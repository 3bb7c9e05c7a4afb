import { describe, expect, test } from 'vitest';
import { heldItems, orderChanges } from '../../src/lib/kit/held';

describe('changes that a held list does not show', () => {
  test.each([
    ['nothing', 'a b c', 'a b c', 0],
    ['one added', 'a b', 'a x b', 1],
    ['one removed', 'a b c', 'a c', 1],
    ['one moved to the front', 'a b c d', 'd a b c', 1],
    ['all turned round', 'a b c', 'c b a', 2],
    ['one replaced', 'a b', 'a c', 2],
    ['all gone', 'a b', '', 2],
  ])('%s', (_, shown, latest, expected) => {
    const words = (text: string): string[] => text.split(' ').filter(Boolean);
    expect(orderChanges(words(shown), words(latest))).toBe(expected);
  });
});

test('a held list keeps its order, takes new values, and keeps what has gone as it was', () => {
  const shown = [
    { id: 'a', v: 1 },
    { id: 'b', v: 1 },
    { id: 'c', v: 1 },
  ];
  const latest = [
    { id: 'x', v: 2 },
    { id: 'c', v: 2 },
    { id: 'a', v: 2 },
  ];
  expect(heldItems(shown, latest, (item) => item.id)).toEqual([
    { id: 'a', v: 2 },
    { id: 'b', v: 1 },
    { id: 'c', v: 2 },
  ]);
});
