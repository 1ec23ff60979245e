/** A measured number with what is known of its uncertainty, its interval, and differences of two. */
import { bootstrapError, combine, percentileInterval, type Resampled } from './bootstrap.ts';
import { addErrors, type Estimate, type Interval, tInterval, welch } from './student.ts';
import { meanOf, sdOf, type Units } from './units.ts';

/** Of all intervals but those that equivalence is judged by. */
export const confidence = 0.95;

export interface Statistic {
  units: Units;
  /** The mean over the units on resampled test models, where all have the same; unknown where they are not known; null where the units say it all. */
  resampled: Resampled | 'unknown' | null;
}

const valuesOf = ({ units }: Statistic): number[] => [...units.values.values()];

/** Spread over units, as an error of their mean. */
function errorOfUnits(statistic: Statistic): Omit<Estimate, 'value'> | null {
  const values = valuesOf(statistic);
  const sd = sdOf(values);
  return sd === null ? null : { error: sd / Math.sqrt(values.length), df: values.length - 1 };
}

/**
 * The 95 % interval: by t over the units, by the bootstrap over test models, or where there are both and so independent sources of error, with
 * their distances from the value added in squares (MOVER, Zou and Donner 2008). Null where nothing says how certain the number is.
 */
export function intervalOf(statistic: Statistic): Interval | null {
  const { resampled } = statistic;
  if (resampled === 'unknown') return null;
  const value = meanOf(valuesOf(statistic));
  const spread = errorOfUnits(statistic);
  const ofUnits = spread && tInterval({ value, ...spread }, confidence);
  const ofModels = resampled && percentileInterval(resampled, confidence);
  if (!ofUnits || !ofModels) return ofUnits ?? ofModels;
  const [low, high] = [Math.max(0, value - ofModels[0]), Math.max(0, ofModels[1] - value)];
  const half = value - ofUnits[0];
  return [value - Math.hypot(low, half), value + Math.hypot(high, half)];
}

/** The number with its standard error; null where nothing says it. */
export function estimateOf(statistic: Statistic): Estimate | null {
  const { resampled } = statistic;
  if (resampled === 'unknown') return null;
  const ofModels = resampled && bootstrapError(resampled);
  const errors = [
    ...(errorOfUnits(statistic) ? [errorOfUnits(statistic) as Omit<Estimate, 'value'>] : []),
    ...(resampled && ofModels !== null ? [{ error: ofModels, df: resampled.models.length - 1 }] : []),
  ];
  return errors.length === 0 ? null : { value: meanOf(valuesOf(statistic)), ...addErrors(errors) };
}

export interface Contrast {
  value: number;
  interval: Interval | null;
}

/** a - times x b: paired where both are of the same units, or of the same test models; else with Welch's standard error. */
export function contrast(a: Statistic, b: Statistic, times = 1): Contrast {
  const value = meanOf(valuesOf(a)) - times * meanOf(valuesOf(b));
  const resampled = combineResampled(a, b, times);
  if (resampled !== undefined) {
    const units = pairUnits(a.units, b.units, times, resampled !== null && resampled !== 'unknown');
    if (units) return { value, interval: intervalOf({ units, resampled }) };
  }
  const [first, second] = [estimateOf(a), estimateOf(b)];
  if (!first || !second) return { value, interval: null };
  const scaled = { value: times * second.value, error: times * second.error, df: second.df };
  return { value, interval: tInterval(welch(first, scaled), confidence) };
}

/** Undefined where they are not of the same test models. */
function combineResampled(
  { resampled: a }: Statistic,
  { resampled: b }: Statistic,
  times: number,
): Statistic['resampled'] | undefined {
  if (a === null && b === null) return null;
  if (a === 'unknown' || b === 'unknown') return 'unknown';
  return (a && b && combine(a, b, -times)) ?? undefined;
}

/** Differences unit by unit. On the same test models, what has no part in a seed is the same for all seeds. */
function pairUnits(a: Units, b: Units, times: number, hasSameModels: boolean): Units | null {
  const [one, other] = [[...a.values], b.values];
  if (one.length === other.size && one.every(([name]) => other.has(name))) {
    const pairs = one.map(([name, value]) => [name, value - times * (other.get(name) as number)] as const);
    return { of: a.of, values: new Map(pairs) };
  }
  if (!hasSameModels) return null;
  const [[, first] = ['', 0]] = one;
  const [second = 0] = other.values();
  if (other.size === 1)
    return { of: a.of, values: new Map(one.map(([name, value]) => [name, value - times * second])) };
  if (one.length === 1)
    return { of: b.of, values: new Map([...other].map(([name, value]) => [name, first - times * value])) };
  return null;
}
