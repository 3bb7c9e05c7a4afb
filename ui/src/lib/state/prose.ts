/** A playbook's head comment as blocks: paragraphs and lists, lines joined, `code` told apart. No markup is made of it. */

export interface Run {
  readonly text: string;
  readonly code: boolean;
}

export type Block =
  { readonly kind: 'paragraph'; readonly runs: Run[] } | { readonly kind: 'list'; readonly items: Run[][] };

export function blocks(text: string): Block[] {
  const out: Block[] = [];
  let paragraph: string[] = [];
  let items: string[] = [];
  const close = (): void => {
    if (paragraph.length > 0) out.push({ kind: 'paragraph', runs: runs(paragraph.join(' ')) });
    if (items.length > 0) out.push({ kind: 'list', items: items.map(runs) });
    paragraph = [];
    items = [];
  };
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    const item = /^[-*]\s+(.*)$/.exec(line)?.[1];
    if (line === '') close();
    else if (item !== undefined) {
      if (items.length === 0) close();
      items.push(item);
    } else if (items.length > 0) items[items.length - 1] += ` ${line}`;
    else paragraph.push(line);
  }
  close();
  return out;
}

/** The same as one line, where there is no room for more than words. */
export function plain(text: string): string {
  return runs(text)
    .map((run) => run.text)
    .join('');
}

/** `code` is told apart, *what a window says* loses its stars; a star between blanks is a star. */
function runs(text: string): Run[] {
  return text
    .split(/(`[^`]+`|(?<![\w*])\*[^*\s](?:[^*]*[^*\s])?\*(?![\w*]))/)
    .filter((part) => part !== '')
    .map((part) => {
      if (/^`[^`]+`$/.test(part)) return { text: part.slice(1, -1), code: true };
      return { text: /^\*.+\*$/.test(part) ? part.slice(1, -1) : part, code: false };
    });
}
