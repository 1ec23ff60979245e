/** The linear probe: a ridge regression per target, its strength chosen on the validation models. */
import type { Split } from '../../zoo/members.ts';
import type { Rows } from './gram.ts';
import { kendallTau } from './kendall.ts';
import { type Predictions, r2, ridge } from './ridge.ts';

/** A target's values, row by row. */
export type TargetValues = Record<Split, Float64Array>;

export interface ProbeResult {
  strength: number;
  r2: Record<Split, number>;
  /** Kendall's rank correlation of predictions and targets. */
  tau: Record<Split, number>;
  testPredictions: Float64Array;
}

/**
 * A probe for each target. Each tries every strength and keeps the one with the best validation R² (the first of equals). Throws if none
 * can be solved.
 */
export function probe<Target extends string>(
  features: Record<Split, Rows>,
  targets: ReadonlyMap<Target, TargetValues>,
  strengths: readonly number[],
): Map<Target, ProbeResult> {
  const training = Array.from(targets.values(), ({ train }) => train);
  const fits = ridge(features, training, strengths);
  return new Map(
    Array.from(targets, ([name, values], t) => [
      name,
      best(values, fits[t] as (Predictions | undefined)[], strengths),
    ]),
  );
}

function best(
  targets: TargetValues,
  fits: readonly (Predictions | undefined)[],
  strengths: readonly number[],
): ProbeResult {
  let found: { strength: number; predictions: Predictions; score: number } | undefined;
  for (const [s, strength] of strengths.entries()) {
    const predictions = fits[s];
    if (!predictions) continue;
    const score = r2(targets.val, predictions.val);
    if (!found || score > found.score) found = { strength, predictions, score };
  }
  if (!found) {
    throw new Error(
      'no ridge strength gives a solvable system: the features are not finite, or all strengths too small',
    );
  }
  const { strength, predictions } = found;
  const each = (score: (targets: Float64Array, predictions: Float64Array) => number) => ({
    train: score(targets.train, predictions.train),
    val: score(targets.val, predictions.val),
    test: score(targets.test, predictions.test),
  });
  return { strength, r2: each(r2), tau: each(kendallTau), testPredictions: predictions.test };
}
