/** Continuous power laws fitted to the tails of spectra (Clauset, Shalizi, Newman 2009), as WeightWatcher 0.7.7 does by default. */

export interface PowerLaw {
  /** The exponent of the density x^-alpha above `xmin`. */
  alpha: number;
  xmin: number;
  /** Kolmogorov-Smirnov distance of the tail from the power law. */
  distance: number;
}

/** Smaller numbers are left out (WeightWatcher's EVALS_THRESH). */
const threshold = 1e-5;

/** Of fewer numbers the exponent is corrected for its bias, and tails of at least `fewestInTail` are fitted (`fit_powerlaw_smallN`). */
const small = 20;
const fewestInTail = 8;

/**
 * The fit of ascending numbers: for every one but the largest as xmin the maximum-likelihood exponent, and of these the one whose law is nearest to
 * its tail by Kolmogorov-Smirnov distance. There is no largest x. Null where no tail can be fitted.
 */
export function fitPowerLaw(ascending: Float64Array): PowerLaw | null {
  const values = ascending.filter((value) => value > threshold);
  const logs = values.map(Math.log);
  const isSmall = values.length < small;
  let best: PowerLaw | null = null;
  let sum = logs.at(-1) ?? 0;
  for (let i = values.length - 2; i >= 0; i--) {
    sum += logs[i] as number;
    const n = values.length - i;
    const excess = sum - n * (logs[i] as number);
    if (!(excess > 0) || (isSmall && n < fewestInTail)) continue;
    const alpha = 1 + (isSmall ? n - 1 : n) / excess;
    const distance = distanceFrom(logs, i, alpha);
    // Going down, so that of equal distances the lowest xmin is kept, as numpy's argmin does.
    if (best === null || distance <= best.distance) best = { alpha, xmin: values[i] as number, distance };
  }
  return best;
}

/** Between the tail from `start` on and the power law: the empirical distribution counts the numbers below each, 0 to (n - 1)/n. */
function distanceFrom(logs: Float64Array, start: number, alpha: number): number {
  const n = logs.length - start;
  const first = logs[start] as number;
  let largest = 0;
  for (let j = 0; j < n; j++) {
    const above = Math.exp((1 - alpha) * ((logs[start + j] as number) - first));
    largest = Math.max(largest, Math.abs(1 - above - j / n));
  }
  return largest;
}
