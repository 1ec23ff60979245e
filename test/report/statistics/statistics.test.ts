/** Every statistic beside scipy's, statsmodels' or numpy's number of the same data (golden.py), and what has none. */
import { describe, expect, test } from 'bun:test';
import { Random } from '../../../src/base/random.ts';
import {
  averageOf,
  bootstrapError,
  combine,
  expandedTail,
  percentileInterval,
  quantile,
  resampleR2,
  sumsOf,
} from '../../../src/report/statistics/bootstrap.ts';
import {
  contrast,
  estimateOf,
  intervalOf,
  type Statistic,
} from '../../../src/report/statistics/statistic.ts';
import { type Interval, tQuantile } from '../../../src/report/statistics/student.ts';
import { type Level, nameOf, type Result, unitsOf } from '../../../src/report/statistics/units.ts';
import { assumedModels, compareWithPaper } from '../../../src/report/verdict.ts';
import { r2 } from '../../../src/stages/property-prediction/ridge.ts';
import golden from './golden.json';

const { sleep, tost } = golden;

/** Independent results, named by their place after `name`. */
const statisticOf = (values: readonly number[], name = 'seed', of: Level = 'seed'): Statistic => ({
  units: { of, values: new Map(values.map((value, i) => [`${name} ${i}`, value])) },
  resampled: null,
});

function expectInterval(found: Interval | null, expected: readonly number[], digits = 6): void {
  expect(found).not.toBeNull();
  found?.forEach((end, i) => {
    expect(end).toBeCloseTo(expected[i] as number, digits);
  });
}

test('quantiles of the t distribution are scipy’s', () => {
  for (const [p, df, expected] of golden.quantiles as [number, number, number][])
    expect(tQuantile(p, df) / expected).toBeCloseTo(1, 6);
});

describe('of the hours of sleep of Student (1908)', () => {
  const [first, second] = [sleep.drug_1, sleep.drug_2];
  test('the interval of the mean is scipy’s ttest_1samp', () => {
    expectInterval(intervalOf(statisticOf(first)), sleep.mean_interval);
  });
  test('the difference is paired where both are of the same units, as ttest_rel', () => {
    expectInterval(contrast(statisticOf(first), statisticOf(second)).interval, sleep.paired);
  });
  test('and else has Welch’s interval, as ttest_ind', () => {
    const { value, interval } = contrast(statisticOf(first), statisticOf(second, 'other'));
    expect(value).toBeCloseTo(-1.58, 10);
    expectInterval(interval, sleep.welch.interval);
    // One missing unit leaves nothing to pair.
    const fewer = contrast(statisticOf(first), statisticOf(second.slice(1)));
    expect(fewer.interval).not.toBeNull();
    expect(fewer.interval).not.toEqual(interval);
  });
  test('of twice the other, its standard error is doubled', () => {
    const doubled = second.map((value) => 2 * value);
    const [a, b] = [statisticOf(first), statisticOf(second, 'other')];
    expect(contrast(a, b, 2)).toEqual(contrast(a, statisticOf(doubled, 'other')));
  });
});

describe('two one-sided tests', () => {
  test('say what those of statsmodels and scipy do of the raw data', () => {
    for (const { ours, paper, margin, equivalent, different, interval } of tost) {
      const found = compareWithPaper(estimateOf(statisticOf(ours)), paper, margin);
      expect(found.status).toBe(equivalent ? 'equivalent' : different ? 'different' : 'inconclusive');
      expectInterval(found.interval, interval);
    }
    const statuses = tost.map(({ equivalent, different }) => [equivalent, different]);
    expect(new Set(statuses.map((one) => JSON.stringify(one))).size).toBe(3);
  });

  test('assume ten models where the paper does not say how many, and our own error where it has no ±', () => {
    const ours = estimateOf(statisticOf(sleep.drug_1));
    const paper = { mean: 1, sd: 2, n: null };
    expect(compareWithPaper(ours, paper, 2)).toEqual(
      compareWithPaper(ours, { ...paper, n: assumedModels }, 2),
    );
    const { interval } = compareWithPaper(ours, { mean: 0, sd: null, n: null }, 2);
    const error = (ours?.error ?? 0) * Math.SQRT2;
    const half = error * tQuantile(0.95, 18);
    expectInterval(interval, [0.75 - half, 0.75 + half]);
  });

  test('find one result inconclusive, and compare numbers without any spread by their difference', () => {
    expect(estimateOf(statisticOf([1]))).toBeNull();
    const none = { status: 'inconclusive', interval: null } as const;
    expect(compareWithPaper(null, { mean: 1, sd: 0.1, n: null }, 2)).toEqual(none);
    const same = estimateOf(statisticOf([5, 5]));
    const statuses = [6, 7, 8].map((mean) => compareWithPaper(same, { mean, sd: 0, n: 5 }, 2).status);
    expect(statuses).toEqual(['equivalent', 'different', 'different']);
  });
});

describe('units', () => {
  const result = (zoo: number, seed: number | null, sample: number | null, value: number): Result => ({
    path: [
      { level: 'zoo', key: `${zoo}` },
      ...(seed === null ? [] : [{ level: 'seed' as const, key: `${seed}` }]),
      ...(sample === null ? [] : [{ level: 'sample' as const, key: `${sample}` }]),
    ],
    value,
  });
  const summary = (results: Result[]) => {
    const units = unitsOf(results);
    return units && [units.of, ...units.values.values()];
  };

  test('are the highest level that has several, with means of means below', () => {
    expect(summary([])).toBeNull();
    expect(summary([result(0, null, null, 3)])).toEqual(['zoo', 3]);
    expect(summary([result(0, 0, null, 3)])).toEqual(['seed', 3]);
    expect(summary([result(0, 0, 0, 1), result(0, 0, 1, 3)])).toEqual(['sample', 1, 3]);
    const seeds = [result(0, 0, 0, 1), result(0, 0, 1, 3), result(0, 1, 0, 6)];
    // The seed with one sample counts as much as that with two.
    expect(summary(seeds)).toEqual(['seed', 2, 6]);
    expect(summary([...seeds, result(1, 0, 0, 10)])).toEqual(['zoo', 4, 10]);
    expect(new Set(seeds.map(({ path }) => nameOf(path))).size).toBe(3);
  });
});

describe('R² on resampled test models', () => {
  const cases = golden.bootstrap.map(({ actual, first, second, ...rest }) => {
    const names = actual.map((_, i) => `model-${String(i).padStart(3, '0')}`);
    const models = names.flatMap((name) => Array<string>(5).fill(name));
    const sums = (predicted: number[][]) => sumsOf(models, actual.flat(), predicted.flat());
    const resampled = (predicted: number[][]) =>
      resampleR2(sums(predicted)) as NonNullable<ReturnType<typeof resampleR2>>;
    return { actual, first, second, ...rest, names, one: resampled(first), other: resampled(second) };
  });

  test('is that of the rows of the models that are drawn, each as often as it is', () => {
    for (const { actual, first, names, one } of cases) {
      const random = new Random(0, 'cluster bootstrap', names.length);
      for (let b = 0; b < 20; b++) {
        const drawn = names.map(() => random.integer(names.length));
        const rows = (of: number[][]) => Float64Array.from(drawn.flatMap((i) => of[i] as number[]));
        expect(one.scores[b]).toBeCloseTo(r2(rows(actual), rows(first)), 10);
      }
    }
  });

  test('has numpy’s intervals and standard errors of 100,000 resamples, to the noise of 2,000', () => {
    for (const { names, tail, of_first, of_difference, one, other } of cases) {
      expect(expandedTail(names.length, 0.95)).toBeCloseTo(tail, 7);
      const difference = combine(one, other, -1) as typeof one;
      for (const [found, expected] of [
        [one, of_first],
        [difference, of_difference],
      ] as const) {
        const [low = 0, high = 0] = expected.interval;
        const ends = percentileInterval(found, 0.95) as Interval;
        expect(Math.abs(ends[0] - low)).toBeLessThan(0.12 * (high - low));
        expect(Math.abs(ends[1] - high)).toBeLessThan(0.12 * (high - low));
        expect((bootstrapError(found) as number) / expected.error).toBeCloseTo(1, 1);
      }
    }
  });

  test('is the same every time, and paired: a difference with itself is 0', () => {
    for (const { one } of cases) expect(new Set(combine(one, one, -1)?.scores)).toEqual(new Set([0]));
    expect(cases[0]?.one.scores.slice(0, 3).map((score) => Number(score.toFixed(6)))).toEqual(
      Float64Array.from([0.743255, 0.696043, 0.830775]),
    );
  });

  test('gives seeds their part, as a second independent source of error', () => {
    const [{ one, other, r2: scores }] = cases as [(typeof cases)[number]];
    const [value = 0] = scores;
    const alone: Statistic = { ...statisticOf([value], 'zoo', 'zoo'), resampled: one };
    const seeds = [value - 0.01, value, value + 0.01];
    const several: Statistic = { ...statisticOf(seeds), resampled: one };
    const [low, high] = percentileInterval(one, 0.95) as Interval;
    expect(intervalOf(alone)).toEqual([low, high]);
    const half = (0.01 / Math.sqrt(3)) * tQuantile(0.975, 2);
    expectInterval(intervalOf(several), [
      value - Math.hypot(value - low, half),
      value + Math.hypot(high - value, half),
    ]);
    const { error = 0 } = estimateOf(several) ?? {};
    expect(error).toBeCloseTo(Math.hypot(bootstrapError(one) as number, 0.01 / Math.sqrt(3)), 12);
    // W has one number for all seeds: the difference has the seeds' spread, on the same models.
    const weights: Statistic = { ...statisticOf([scores[1] as number], 'zoo', 'zoo'), resampled: other };
    const [less, more] = [contrast(several, weights), contrast(weights, several)];
    expect(less.value).toBeCloseTo(value - (scores[1] as number), 12);
    expectInterval(more.interval, [-(less.interval?.[1] ?? 0), -(less.interval?.[0] ?? 0)]);
    expect(less.interval).not.toEqual(contrast(alone, weights).interval);
  });

  test('has no interval for three models, for targets that are all the same, or for predictions that are not known', () => {
    const few = (n: number, actual: (i: number) => number) => {
      const models = Array.from({ length: n }, (_, i) => `${i}`);
      const targets = models.map((_, i) => actual(i));
      return resampleR2(
        sumsOf(
          models,
          targets,
          targets.map((target) => target + 0.1),
        ),
      );
    };
    expect([1, 2, 3].map((n) => few(n, (i) => i))).toEqual([null, null, null]);
    expect(few(4, (i) => i)?.scores.length).toBe(2000);
    const constant = few(5, () => 0.3);
    expect(constant && percentileInterval(constant, 0.95)).toBeNull();
    expect(constant && bootstrapError(constant)).toBeNull();
    const unknown: Statistic = { ...statisticOf([0.4, 0.5]), resampled: 'unknown' };
    expect([intervalOf(unknown), estimateOf(unknown)]).toEqual([null, null]);
    expect(contrast(unknown, unknown).interval).toBeNull();
    const [{ one, other }, { one: larger }] = cases as [(typeof cases)[number], (typeof cases)[number]];
    expect(combine(one, larger, 1)).toBeNull();
    expect(averageOf([one, null])).toBeNull();
    expect(averageOf([])).toBeNull();
    expect(averageOf([one, other])?.scores[7]).toBeCloseTo(
      ((one.scores[7] as number) + (other.scores[7] as number)) / 2,
      12,
    );
  });

  test('quantiles lie between the nearest values', () => {
    const sorted = Float64Array.from([1, 2, 4]);
    expect([0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share))).toEqual([1, 1.5, 2, 3, 4]);
  });
});
