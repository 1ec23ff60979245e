/** How many of `count` things the first two shares are; the third gets the rest. */
export function splitSizes(count: number, shares: readonly number[]): [number, number, number] {
  // The small addition keeps shares such as 0.7 from losing one to rounding.
  const [first, second] = shares.map((share) => Math.floor(share * count + 1e-9)) as [number, number];
  return [first, second, count - first - second];
}
