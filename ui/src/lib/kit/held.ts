/** Lists do not re-order under the pointer: while one is held, what changed is counted, not shown. */

/** How many keys were added, removed or moved between what is shown and what is so. */
export function orderChanges(shown: readonly string[], latest: readonly string[]): number {
  const place = new Map(latest.map((key, i) => [key, i]));
  const before = new Set(shown);
  const removed = shown.filter((key) => !place.has(key)).length;
  const added = latest.filter((key) => !before.has(key)).length;
  const kept = shown.flatMap((key) => place.get(key) ?? []);
  return removed + added + (kept.length - longestRising(kept));
}

/** Length of the longest increasing subsequence: the keys that need not move. */
function longestRising(numbers: readonly number[]): number {
  const tails: number[] = [];
  for (const n of numbers) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((tails[middle] ?? Infinity) < n) low = middle + 1;
      else high = middle;
    }
    tails[low] = n;
  }
  return tails.length;
}

/** The shown order with the latest values; what has gone keeps its last value. */
export function heldItems<T>(shown: readonly T[], latest: readonly T[], key: (item: T) => string): T[] {
  const byKey = new Map(latest.map((item) => [key(item), item]));
  return shown.map((item) => byKey.get(key(item)) ?? item);
}
