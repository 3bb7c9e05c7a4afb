import { expect, test } from 'vitest';
import { blocks, plain } from '../../src/lib/state/prose';

test('lines that were wrapped in the source are joined, and empty lines part paragraphs', () => {
  expect(blocks('one\ntwo\n\nthree')).toEqual([
    { kind: 'paragraph', runs: [{ text: 'one two', code: false }] },
    { kind: 'paragraph', runs: [{ text: 'three', code: false }] },
  ]);
});

test('a list may follow a sentence at once, and its items may be wrapped', () => {
  expect(blocks('Causes:\n- port\n  clash\n- crash')).toEqual([
    { kind: 'paragraph', runs: [{ text: 'Causes:', code: false }] },
    { kind: 'list', items: [[{ text: 'port clash', code: false }], [{ text: 'crash', code: false }]] },
  ]);
});

test('code is told apart, and markup stays text', () => {
  expect(blocks('use `ps -a`, <b>not</b> `')).toEqual([
    {
      kind: 'paragraph',
      runs: [
        { text: 'use ', code: false },
        { text: 'ps -a', code: true },
        { text: ', <b>not</b> `', code: false },
      ],
    },
  ]);
});

test('in one line there are words and no marks, and a star that marks nothing stays', () => {
  expect(plain('`overflow` warnings say *schema already exists*.')).toBe(
    'overflow warnings say schema already exists.',
  );
  expect(plain('2 * 3 * 4, a*b*c, LIKE *')).toBe('2 * 3 * 4, a*b*c, LIKE *');
});
