import { describe, expect, test } from 'vitest';
import { segments, visible } from '../../src/lib/kit/visible';

describe('what would not be seen', () => {
  test.each([
    ['an escape sequence', '\u001b[31mred', '[ESC][31mred'],
    ['a carriage return that overwrites a line', 'ok\rfail', 'ok[CR]fail'],
    ['NUL and bell', '\u0000\u0007', '[NUL][BEL]'],
    ['delete', 'a\u007f', 'a[DEL]'],
    ['a C1 control (CSI in one byte)', '\u009b31m', '[U+009B]31m'],
    ['a bidi override', '\u202egnp.exe', '[U+202E]gnp.exe'],
    ['a bidi isolate', '\u2066x\u2069', '[U+2066]x[U+2069]'],
    ['zero width', 'a\u200bb\ufeff', 'a[U+200B]b[U+FEFF]'],
    ['tag characters', '\u{e0041}', '[U+E0041]'],
    ['half a character', '\ud800', '[U+D800]'],
    ['a soft hyphen', 'a\u00adb', 'a[U+00AD]b'],
    ['a line separator', 'a\u2028b', 'a[U+2028]b'],
  ])('becomes visible: %s', (_, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  test('no C0, C1 or bidi character is left, whatever comes', () => {
    const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).join('');
    expect(visible(all)).not.toMatch(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f]/u,
    );
  });

  test('nothing is lost: each input character is drawn by exactly one segment', () => {
    const text = 'a\u0000\u202eb\u{1f980}\n\tc';
    expect(segments(text).map((part) => part.text)).toEqual(['a', '[NUL]', '[U+202E]', 'b\u{1f980}\n\tc']);
    expect(segments(text)[2]?.mark).toBe('U+202E right-to-left override');
  });

  test('ordinary text of any script, lines and tabs stay as they are', () => {
    const text = 'Wanjiku, Ōtieno, فاطمة, 診所 🦀\n\t{"a": "<b>&amp;</b>"}';
    expect(segments(text)).toEqual([{ text }]);
  });

  test('empty text draws nothing', () => {
    expect(segments('')).toEqual([]);
  });
});
