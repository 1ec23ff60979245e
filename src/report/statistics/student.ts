/** Estimates with a standard error, their intervals and differences, by Student's t distribution. */
import { jStat } from 'jstat';

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

export interface Estimate {
  value: number;
  /** Standard error. */
  error: number;
  /** Degrees of freedom of the standard error. */
  df: number;
}

export const tQuantile = (probability: number, df: number): number => jStat.studentt.inv(probability, df);

export const normalCdf = (x: number): number => jStat.normal.cdf(x, 0, 1);

/** The two-sided interval of this confidence. */
export function tInterval({ value, error, df }: Estimate, confidence: number): Interval {
  // Without an error there are no degrees of freedom to ask for a quantile.
  const half = error === 0 ? 0 : error * tQuantile((1 + confidence) / 2, df);
  return [value - half, value + half];
}

/** The sum of the variances of independent errors, with the degrees of freedom of Welch (1947) and Satterthwaite (1946). */
export function addErrors(errors: readonly Pick<Estimate, 'error' | 'df'>[]): Omit<Estimate, 'value'> {
  const variance = errors.reduce((sum, { error }) => sum + error ** 2, 0);
  const scatter = errors.reduce((sum, { error, df }) => sum + error ** 4 / df, 0);
  return { error: Math.sqrt(variance), df: variance ** 2 / scatter };
}

/** a - b of independent estimates, with Welch's standard error. */
export const welch = (a: Estimate, b: Estimate): Estimate => ({
  value: a.value - b.value,
  ...addErrors([a, b]),
});
