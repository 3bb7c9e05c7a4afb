/** Which rows of a long list are in sight, where each has the same height. */

export interface InSight {
  /** The first one to draw, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

/** With `beside` more on either side, so that scrolling finds them drawn. */
export function inSight(top: number, height: number, row: number, count: number, beside = 8): InSight {
  const from = Math.max(0, Math.floor(top / row) - beside);
  const to = Math.min(count, Math.ceil((top + height) / row) + beside);
  return { from: Math.min(from, to), to };
}

/** Where to scroll to, so that a row is in sight: as little as it takes. */
export function scrolledTo(index: number, top: number, height: number, row: number): number {
  if (index * row < top) return index * row;
  return Math.max(top, (index + 1) * row - height);
}
