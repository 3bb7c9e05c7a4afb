/**
 * Text from logs, databases and containers may hold characters that a terminal or a browser obeys instead of
 * showing: control codes, escape sequences, bidi overrides, zero-width and tag characters. Here they become visible.
 */

export interface Segment {
  /** What to draw. */
  text: string;
  /** Set for a character that would not have been seen: its code point and name. */
  mark?: string;
}

const NAMES: Record<number, string> = {
  0x00ad: 'soft hyphen',
  0x034f: 'combining grapheme joiner',
  0x061c: 'Arabic letter mark',
  0x115f: 'Hangul filler',
  0x1160: 'Hangul filler',
  0x17b4: 'Khmer inherent vowel',
  0x17b5: 'Khmer inherent vowel',
  0x180e: 'Mongolian vowel separator',
  0x200b: 'zero width space',
  0x200c: 'zero width non-joiner',
  0x200d: 'zero width joiner',
  0x200e: 'left-to-right mark',
  0x200f: 'right-to-left mark',
  0x2028: 'line separator',
  0x2029: 'paragraph separator',
  0x202a: 'left-to-right embedding',
  0x202b: 'right-to-left embedding',
  0x202c: 'pop directional formatting',
  0x202d: 'left-to-right override',
  0x202e: 'right-to-left override',
  0x2060: 'word joiner',
  0x2066: 'left-to-right isolate',
  0x2067: 'right-to-left isolate',
  0x2068: 'first strong isolate',
  0x2069: 'pop directional isolate',
  0x3164: 'Hangul filler',
  0xfeff: 'byte order mark',
  0xffa0: 'Hangul filler',
};

/** Control pictures are missing from most fonts, so the codes are drawn by their names. */
const C0 =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  );

/** Most text is plain, and there is much of it where a log is scrolled. */
const PLAIN = /^[ -~\n\t]+$/;

/** Splits text so that each character that would not be seen stands alone with its name. */
export function segments(text: string): Segment[] {
  if (PLAIN.test(text)) return [{ text }];
  const out: Segment[] = [];
  let plain = '';
  for (const char of text) {
    const shown = unseen(char);
    if (shown === undefined) {
      plain += char;
      continue;
    }
    if (plain !== '') out.push({ text: plain });
    plain = '';
    out.push(shown);
  }
  if (plain !== '') out.push({ text: plain });
  return out;
}

/** The same as one string, for places that hold no markup: attributes, titles, the clipboard. */
export function visible(text: string): string {
  return segments(text)
    .map((segment) => segment.text)
    .join('');
}

function unseen(char: string): Segment | undefined {
  const code = char.codePointAt(0) ?? 0;
  if (char === '\n' || char === '\t') return undefined;
  if (code < 0x20) return { text: `[${C0[code]}]`, mark: named(code, 'control character') };
  if (code === 0x7f) return { text: '[DEL]', mark: named(code, 'delete') };
  if (code >= 0x80 && code <= 0x9f) return { text: bracketed(code), mark: named(code, 'control character') };
  if (code >= 0xd800 && code <= 0xdfff) return { text: bracketed(code), mark: named(code, 'lone surrogate') };
  if (code >= 0xfff9 && code <= 0xfffb)
    return { text: bracketed(code), mark: named(code, 'annotation character') };
  if (code >= 0xe0000 && code <= 0xe0fff)
    return { text: bracketed(code), mark: named(code, 'tag character') };
  if (code >= 0x2061 && code <= 0x206f && !(code in NAMES)) {
    return { text: bracketed(code), mark: named(code, 'invisible operator') };
  }
  const name = NAMES[code];
  return name === undefined ? undefined : { text: bracketed(code), mark: named(code, name) };
}

function bracketed(code: number): string {
  return `[${point(code)}]`;
}

function named(code: number, name: string): string {
  return `${point(code)} ${name}`;
}

function point(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
