/** How a number that was computed under the paper's conditions stands to the paper's. */
import type { Estimate, Interval } from './statistics/student.ts';
import { tInterval, welch } from './statistics/student.ts';
import type { Published } from './table.ts';

/** Models behind a ± of the paper where it does not say how many: the released example keeps ten samples. */
export const assumedModels = 10;

/** Two one-sided tests at 5 % are an interval of 90 %. */
const equivalenceConfidence = 0.9;

export interface Comparison {
  status: 'equivalent' | 'different' | 'inconclusive';
  /** The 90 % interval of ours less the paper's; null where nothing is known of the uncertainty. */
  interval: Interval | null;
}

/**
 * Two one-sided tests (Schuirmann 1987) with Welch's standard error: equivalent where the interval of the difference lies within
 * ±margin, different where it lies outside, else inconclusive. A number of the paper without ± is taken to be as uncertain as ours.
 */
export function compareWithPaper(ours: Estimate | null, paper: Published, margin: number): Comparison {
  if (!ours) return { status: 'inconclusive', interval: null };
  const { mean, sd, n } = paper;
  const models = n ?? assumedModels;
  const theirs =
    sd === null ? { ...ours, value: mean } : { value: mean, error: sd / Math.sqrt(models), df: models - 1 };
  const interval = tInterval(welch(ours, theirs), equivalenceConfidence);
  const [low, high] = interval;
  if (low > -margin && high < margin) return { status: 'equivalent', interval };
  return { status: low >= margin || high <= -margin ? 'different' : 'inconclusive', interval };
}
