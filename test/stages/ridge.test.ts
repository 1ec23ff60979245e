import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { probe } from '../../src/stages/property-prediction/probe.ts';
import { predict, r2, ridge } from '../../src/stages/property-prediction/ridge.ts';
import { testSeed as seed } from '../seed.ts';

const rows = (n: number, d: number, random: Random) =>
  Array.from({ length: n }, () => Float64Array.from({ length: d }, () => random.normal()));

/** Solves a square system by Gauss and Jordan with pivoting: the definition's inverse, another way than Cholesky. */
function gauss(a: number[][], b: number[]): number[] {
  const m = a.map((row, i) => [...row, b[i]!]);
  for (let c = 0; c < m.length; c++) {
    const p = m
      .slice(c)
      .reduce((best, row, i) => (Math.abs(row[c]!) > Math.abs(m[best]![c]!) ? c + i : best), c);
    [m[c], m[p]] = [m[p]!, m[c]!];
    for (let r = 0; r < m.length; r++) {
      if (r === c) continue;
      const factor = m[r]![c]! / m[c]![c]!;
      for (let k = c; k <= m.length; k++) m[r]![k]! -= factor * m[c]![k]!;
    }
  }
  return m.map((row, i) => row[m.length]! / row[i]!);
}

/** b = (X'X + r I)^-1 X'y by the definition, X with a column of ones. */
function oracle(features: Float64Array[], y: Float64Array, r: number): number[] {
  const x = features.map((row) => [...row, 1]);
  const d = x[0]!.length;
  const a = Array.from({ length: d }, (_, i) =>
    Array.from({ length: d }, (_, j) => x.reduce((sum, row) => sum + row[i]! * row[j]!, i === j ? r : 0)),
  );
  return gauss(
    a,
    Array.from({ length: d }, (_, i) => x.reduce((sum, row, n) => sum + row[i]! * y[n]!, 0)),
  );
}

describe('ridge regression', () => {
  test('has the golden coefficients', () => {
    const features = [
      [0, 1],
      [1, 0],
      [2, 1],
      [3, 5],
    ].map((row) => Float64Array.from(row));
    const y = Float64Array.of(1, 2, 2, 5);
    const b = ridge(features)(y, 1)!;
    for (const [i, value] of [0.63823529, 0.46764706, 0.57941176].entries())
      expect(b[i]!).toBeCloseTo(value, 8);
    expect(r2(y, predict(b, features))).toBeCloseTo(0.9169925, 8);
  });

  test.each([
    [20, 5],
    [20, 19],
    [20, 20],
    [7, 31],
    [1, 3],
    [3, 1],
  ])('of %d samples with %d features is the definition’s, primal or dual', (n, d) => {
    const random = new Random(seed, 'ridge', n, d);
    const features = rows(n, d, random);
    const y = Float64Array.from({ length: n }, () => random.normal());
    const fit = ridge(features);
    for (const r of [1000, 1, 1e-3]) {
      const expected = oracle(features, y, r);
      const b = fit(y, r)!;
      expect(b.length).toBe(d + 1);
      for (const [i, value] of expected.entries())
        expect(Math.abs(b[i]! - value)).toBeLessThan(1e-6 * (1 + Math.abs(value)));
    }
  });

  test('of features that are not finite has no solution', () => {
    expect(ridge([Float64Array.of(Number.NaN)])(Float64Array.of(1), 1)).toBeUndefined();
    expect(() => ridge([])).toThrow('ridge regression needs at least one sample');
  });
});

describe('probe', () => {
  test('takes the strength that is best on validation, and the first of equals', () => {
    const random = new Random(seed, 'probe');
    const truth = Float64Array.from({ length: 12 }, () => random.normal());
    const split = (n: number) => {
      const features = rows(n, 12, random);
      const targets = Float64Array.from(features, (row) =>
        row.reduce((sum, v, i) => sum + v * truth[i]!, 2 + 0.5 * random.normal()),
      );
      return { features, targets };
    };
    const splits = { train: split(30), val: split(20), test: split(25) };
    const strengths = [1000, 30, 1, 1e-5];
    const result = probe(splits, strengths);
    const scores = strengths.map((r) =>
      r2(
        splits.val.targets,
        predict(ridge(splits.train.features)(splits.train.targets, r)!, splits.val.features),
      ),
    );
    expect(result.r2.val).toBe(Math.max(...scores));
    expect(result.strength).toBe(strengths[scores.indexOf(Math.max(...scores))]!);
    const coefficients = ridge(splits.train.features)(splits.train.targets, result.strength)!;
    expect(result.r2.test).toBe(r2(splits.test.targets, predict(coefficients, splits.test.features)));
    expect(probe(splits, [7, 7]).strength).toBe(7);
  });

  test('says so when nothing can be solved', () => {
    const bad = { features: [Float64Array.of(Number.NaN)], targets: Float64Array.of(1) };
    expect(() => probe({ train: bad, val: bad, test: bad }, [1])).toThrow(
      'no ridge strength gives a solvable system',
    );
  });

  test('R² is 1 for the truth, 0 for its mean, and negative for worse', () => {
    const y = Float64Array.of(1, 2, 6);
    expect(r2(y, y)).toBe(1);
    expect(r2(y, Float64Array.of(3, 3, 3))).toBe(0);
    expect(r2(y, Float64Array.of(6, 6, 1))).toBeLessThan(0);
  });
});
