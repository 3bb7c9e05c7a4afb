/** The six marks: each a shape, a word and a colour, so that none of the three is needed to read it. */
export type StatusMark = 'ok' | 'busy' | 'off' | 'unknown' | 'warn' | 'crit';

export const MARK_WORDS: Record<StatusMark, string> = {
  ok: 'Healthy',
  busy: 'Busy',
  off: 'Stopped',
  unknown: 'Unknown',
  warn: 'Degraded',
  crit: 'Down',
};
