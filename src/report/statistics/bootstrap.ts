/**
 * R² on resampled test models: models are drawn with replacement, each with all its checkpoints, which are not independent (the cluster bootstrap,
 * Davison and Hinkley 1997, section 3.8). Nothing is fitted again, and R² follows from sums over the models that are kept once.
 */
import { Random } from '../../base/random.ts';
import { type Interval, normalCdf, tQuantile } from './student.ts';

const resamples = 2000;

/** Of three models the worst alone is drawn in 1 of 27 resamples, more often than the 1 in 40 below a 95 % interval. */
const fewestModels = 4;

/** What R² on some models is made of: for each, the number of its checkpoints, sums of targets and of their squares, and squared errors. */
export interface ModelSums {
  models: readonly string[];
  count: Float64Array;
  sum: Float64Array;
  squares: Float64Array;
  errors: Float64Array;
}

/** `models` names the model of each checkpoint. Targets are taken from their mean, so that sums lose no digits. */
export function sumsOf(
  models: readonly string[],
  actual: readonly number[],
  predicted: readonly number[],
): ModelSums {
  const names = [...new Set(models)].sort();
  const places = new Map(names.map((name, i) => [name, i]));
  const zeros = () => new Float64Array(names.length);
  const sums: ModelSums = { models: names, count: zeros(), sum: zeros(), squares: zeros(), errors: zeros() };
  const mean = actual.reduce((sum, value) => sum + value, 0) / actual.length;
  for (const [i, model] of models.entries()) {
    const at = places.get(model) as number;
    const target = (actual[i] as number) - mean;
    const error = (actual[i] as number) - (predicted[i] as number);
    (sums.count[at] as number) += 1;
    (sums.sum[at] as number) += target;
    (sums.squares[at] as number) += target ** 2;
    (sums.errors[at] as number) += error ** 2;
  }
  return sums;
}

/** R² in each resample. Those of the same models are drawn alike, so that differences are paired. */
export interface Resampled {
  models: readonly string[];
  /** NaN where all targets are the same. */
  scores: Float64Array;
}

/** How often each model is in each resample [resamples, models]. */
function drawCounts(models: number): Uint16Array {
  const random = new Random(0, 'cluster bootstrap', models);
  const counts = new Uint16Array(resamples * models);
  for (let b = 0; b < resamples; b++) {
    for (let k = 0; k < models; k++) (counts[b * models + random.integer(models)] as number)++;
  }
  return counts;
}

/** By the number of models: tables have many cells of the same. */
const drawn = new Map<number, Uint16Array>();

/** Null where there are too few models for an interval. */
export function resampleR2({ models, count, sum, squares, errors }: ModelSums): Resampled | null {
  const size = models.length;
  if (size < fewestModels) return null;
  const counts = drawn.get(size) ?? drawCounts(size);
  drawn.set(size, counts);
  const scores = new Float64Array(resamples);
  for (let b = 0; b < resamples; b++) {
    let [n, total, square, error] = [0, 0, 0, 0];
    for (let i = 0; i < size; i++) {
      const weight = counts[b * size + i] as number;
      n += weight * (count[i] as number);
      total += weight * (sum[i] as number);
      square += weight * (squares[i] as number);
      error += weight * (errors[i] as number);
    }
    const variance = square - total ** 2 / n;
    scores[b] = variance > 1e-12 * square ? 1 - error / variance : Number.NaN;
  }
  return { models, scores };
}

/** a + factor x b, resample by resample; null where they are not of the same models. */
export function combine(a: Resampled, b: Resampled, factor: number): Resampled | null {
  const isSame = a.models.length === b.models.length && a.models.every((name, i) => name === b.models[i]);
  if (!isSame) return null;
  return { models: a.models, scores: a.scores.map((score, i) => score + factor * (b.scores[i] as number)) };
}

/** The mean over several, resample by resample; null where one is missing, or is of other models. */
export function averageOf(all: readonly (Resampled | null)[]): Resampled | null {
  const [first, ...others] = all;
  const sum = others.reduce<Resampled | null | undefined>((a, b) => a && b && combine(a, b, 1), first);
  return sum ? { ...sum, scores: sum.scores.map((score) => score / all.length) } : null;
}

const finiteOf = ({ scores }: Resampled): Float64Array => scores.filter(Number.isFinite).sort();

/**
 * The percentile interval, its tails widened for few models (Hesterberg 2015, "What teachers should know about the bootstrap", section 5.2): by
 * t quantiles instead of normal ones and sqrt(n / (n - 1)). Null where no resample has an R².
 */
export function percentileInterval(resampled: Resampled, confidence: number): Interval | null {
  const sorted = finiteOf(resampled);
  if (sorted.length === 0) return null;
  const tail = expandedTail(resampled.models.length, confidence);
  return [quantile(sorted, tail), quantile(sorted, 1 - tail)];
}

/** The share of resamples below an interval of n models. */
export const expandedTail = (n: number, confidence: number): number =>
  normalCdf(-Math.sqrt(n / (n - 1)) * tQuantile((1 + confidence) / 2, n - 1));

/** Between the two nearest of sorted values, as numpy's default. */
export function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  return below + (place - Math.floor(place)) * ((sorted[Math.ceil(place)] as number) - below);
}

/** Standard deviation of the resamples: the standard error of the score. Null where no resample has an R². */
export function bootstrapError(resampled: Resampled): number | null {
  const values = finiteOf(resampled);
  if (values.length < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
