/** Which rows of a long list are in sight, where each has the same height. */

export interface InSight {
  /** The first one to draw, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

/** So many more are drawn on either side, so that scrolling finds them there. */
const BESIDE = 5;

export function inSight(top: number, height: number, row: number, count: number, beside = BESIDE): InSight {
  const from = Math.max(0, Math.floor(top / row) - beside);
  const to = Math.min(count, Math.ceil((top + height) / row) + beside);
  return { from: Math.min(from, to), to };
}

/** Rows that are ever drawn at once. */
export function mostInSight(height: number, row: number, beside = BESIDE): number {
  return Math.ceil(height / row) + 1 + 2 * beside;
}

/** Where to scroll to, so that a row is in sight: as little as it takes. */
export function scrolledTo(index: number, top: number, height: number, row: number): number {
  if (index * row < top) return index * row;
  return Math.max(top, (index + 1) * row - height);
}
