/**
 * Kendall's rank correlation tau-b (Kendall 1945), by which benchmarks of weight-space methods rank networks, e.g. on the zoo of
 * Unterthiner et al. (2020). Counted by merge sort in n log n steps (Knight 1966).
 */

/**
 * The tau-b of two lists of n numbers, in [-1, 1]: pairs in the same order less pairs in opposite orders, over the geometric mean of
 * the pairs that are not tied in either list. 0 where all numbers of a list are the same: they order nothing.
 */
export function kendallTau(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = x.length;
  const compare = (list: ArrayLike<number>, a: number, b: number) =>
    (list[a] as number) - (list[b] as number);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => compare(x, a, b) || compare(y, a, b));
  const sorted = (list: ArrayLike<number>) => Float64Array.from(order, (i) => list[i] as number);
  const [byX, ranked] = [sorted(x), sorted(y)];
  const tiedX = tiedPairs(n, (i) => byX[i] === byX[i - 1]);
  const tiedBoth = tiedPairs(n, (i) => byX[i] === byX[i - 1] && ranked[i] === ranked[i - 1]);
  // Pairs in opposite orders are what sorting by y has to exchange.
  const discordant = exchanges(ranked, new Float64Array(n), 0, n);
  const tiedY = tiedPairs(n, (i) => ranked[i] === ranked[i - 1]);
  const pairs = (n * (n - 1)) / 2;
  const scale = Math.sqrt((pairs - tiedX) * (pairs - tiedY));
  const concordant = pairs - tiedX - tiedY + tiedBoth - discordant;
  return scale === 0 ? 0 : (concordant - discordant) / scale;
}

/** Pairs of equals in a sorted list, of which it is said whether each is equal to the one before. */
function tiedPairs(n: number, isTied: (i: number) => boolean): number {
  let pairs = 0;
  for (let i = 1, run = 0; i < n; i++) {
    run = isTied(i) ? run + 1 : 0;
    pairs += run;
  }
  return pairs;
}

/** Sorts a part of the values, and counts the exchanges of neighbours that it takes. */
function exchanges(values: Float64Array, scratch: Float64Array, from: number, to: number): number {
  if (to - from < 2) return 0;
  const middle = (from + to) >> 1;
  let count = exchanges(values, scratch, from, middle) + exchanges(values, scratch, middle, to);
  let left = from;
  let right = middle;
  for (let at = from; at < to; at++) {
    const takesLeft = right >= to || (left < middle && (values[left] as number) <= (values[right] as number));
    if (!takesLeft) count += middle - left;
    scratch[at] = values[takesLeft ? left++ : right++] as number;
  }
  values.set(scratch.subarray(from, to), from);
  return count;
}
