/** Times of several turns in a few numbers. */

export interface Summary {
  medianMs: number;
  /** Half of the times lie between these two. */
  lowerQuartileMs: number;
  upperQuartileMs: number;
}

/** Median and quartiles, interpolated linearly between neighbours. Throws if there are no times. */
export function summarize(timesMs: readonly number[]): Summary {
  if (timesMs.length === 0) throw new RangeError('there are no times');
  const sorted = timesMs.toSorted((a, b) => a - b);
  const quantile = (share: number) => {
    const at = share * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
    return low + (high - low) * (at - Math.floor(at));
  };
  return {
    medianMs: quantile(0.5),
    lowerQuartileMs: quantile(0.25),
    upperQuartileMs: quantile(0.75),
  };
}
