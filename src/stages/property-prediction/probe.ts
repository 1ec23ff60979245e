/** The linear probe: a ridge regression per target, its strength chosen on the validation models. */
import { kendallTau } from './kendall.ts';
import { type Matrix, predict, r2, ridge } from './ridge.ts';

/** Features and one target of a split, row by row. */
export interface ProbeSplit {
  features: Matrix;
  targets: Float64Array;
}

export type ProbeSplits = Record<'train' | 'val' | 'test', ProbeSplit>;

export interface ProbeResult {
  strength: number;
  r2: Record<'train' | 'val' | 'test', number>;
  /** Kendall's rank correlation of predictions and targets. */
  tau: Record<'train' | 'val' | 'test', number>;
  testPredictions: Float64Array;
}

/** Tries every strength and keeps the one with the best validation R² (the first of equals). Throws if none can be solved. */
export function probe(
  splits: ProbeSplits,
  strengths: readonly number[],
  fit = ridge(splits.train.features),
): ProbeResult {
  let best: { strength: number; coefficients: Float64Array; score: number } | undefined;
  for (const strength of strengths) {
    const coefficients = fit(splits.train.targets, strength);
    if (!coefficients) continue;
    const score = r2(splits.val.targets, predict(coefficients, splits.val.features));
    if (!best || score > best.score) best = { strength, coefficients, score };
  }
  if (!best) {
    throw new Error(
      'no ridge strength gives a solvable system: the features are not finite, or all strengths too small',
    );
  }
  const { strength, coefficients } = best;
  const predictions = {
    train: predict(coefficients, splits.train.features),
    val: predict(coefficients, splits.val.features),
    test: predict(coefficients, splits.test.features),
  };
  const each = (score: (targets: Float64Array, predictions: Float64Array) => number) => ({
    train: score(splits.train.targets, predictions.train),
    val: score(splits.val.targets, predictions.val),
    test: score(splits.test.targets, predictions.test),
  });
  return { strength, r2: each(r2), tau: each(kendallTau), testPredictions: predictions.test };
}
