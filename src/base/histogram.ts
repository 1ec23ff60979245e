/** How many of the values lie in each of `parts` equal parts of `low` to `high`; what lies outside counts to the first or last. */
export function histogram(values: readonly number[], low: number, high: number, parts: number): number[] {
  const counts = new Array<number>(parts).fill(0);
  for (const value of values) {
    const part = Math.floor(((value - low) / (high - low || 1)) * parts);
    const within = Math.min(parts - 1, Math.max(0, part));
    counts[within] = (counts[within] as number) + 1;
  }
  return counts;
}
