import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { type Rows, rowProducts, rowsOf } from '../../src/stages/property-prediction/gram.ts';
import { probe } from '../../src/stages/property-prediction/probe.ts';
import { r2, ridge } from '../../src/stages/property-prediction/ridge.ts';
import { Tridiagonal } from '../../src/stages/property-prediction/tridiagonal.ts';
import { testSeed as seed } from '../seed.ts';

const rows = (n: number, d: number, random: Random) =>
  Array.from({ length: n }, () => Float64Array.from({ length: d }, () => random.normal()));

/** Solves a square system by Gauss and Jordan with pivoting: the definition's inverse. */
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

const predicted = (features: Float64Array[], b: number[]) =>
  features.map((row) => row.reduce((sum, x, i) => sum + x * b[i]!, b.at(-1)!));

/** The largest difference, in terms of the largest of what is expected. */
const error = (found: Float64Array, expected: number[]) =>
  Math.max(...expected.map((value, i) => Math.abs(value - found[i]!))) /
  Math.max(...expected.map((value) => Math.abs(value)));

const all = (train: Float64Array[], val = train, test = val) => ({
  train: rowsOf(train),
  val: rowsOf(val),
  test: rowsOf(test),
});

describe('ridge regression', () => {
  test('has the golden predictions', () => {
    const features = [
      [0, 1],
      [1, 0],
      [2, 1],
      [3, 5],
    ].map((row) => Float64Array.from(row));
    const y = Float64Array.of(1, 2, 2, 5);
    const fit = ridge(all(features), [y], [1])[0]![0]!;
    expect(error(fit.val, predicted(features, [0.63823529, 0.46764706, 0.57941176]))).toBeLessThan(1e-8);
    expect(r2(y, fit.train)).toBeCloseTo(0.9169925, 8);
  });

  test.each([
    [20, 5],
    [20, 18],
    [20, 19],
    [20, 20],
    [7, 31],
    [150, 3],
    [33, 140],
    [1, 3],
    [3, 1],
  ])('of %d samples with %d features is the definition’s for each target and strength alone', (n, d) => {
    const random = new Random(seed, 'ridge', n, d);
    const [train, val, test] = [rows(n, d, random), rows(n + 2, d, random), rows(3, d, random)];
    const targets = [0, 1].map(() => Float64Array.from({ length: n }, () => random.normal()));
    const strengths = [1000, 1, 1e-3];
    const fits = ridge(all(train, val, test), targets, strengths);
    for (const [t, y] of targets.entries()) {
      for (const [s, r] of strengths.entries()) {
        const b = oracle(train, y, r);
        const fit = fits[t]![s]!;
        expect(fit.val.length).toBe(n + 2);
        expect(error(fit.train, predicted(train, b))).toBeLessThan(1e-7);
        expect(error(fit.val, predicted(val, b))).toBeLessThan(1e-7);
        expect(error(fit.test, predicted(test, b))).toBeLessThan(1e-7);
      }
    }
  });

  test('of features that are not finite has no solution', () => {
    const bad = all([Float64Array.of(Number.NaN)]);
    expect(ridge(bad, [Float64Array.of(1)], [1])).toEqual([[undefined]]);
    expect(() => ridge(all([]), [], [])).toThrow('ridge regression needs at least one sample');
  });

  test.each([24, 34, 43, 200])('of %d rows that are all the same, it is as exact as of others', (n) => {
    const factorised = new Tridiagonal(new Float64Array(n * n).fill(1), n);
    const b = new Random(seed, 'ones', n).normals(n);
    // (11' + r I)^-1 b = (b - 1 (1'b) / (n + r)) / r.
    const sum = b.reduce((total, value) => total + value, 0);
    for (const r of [1000, 1, 1e-3]) {
      const expected = Array.from(b, (value) => (value - sum / (n + r)) / r);
      expect(error(factorised.solve(r, Float64Array.from(b)) as Float64Array, expected)).toBeLessThan(1e-7);
    }
  });

  test.each([1, 2, 3, 8, 31])('a factorised matrix of %d rows is solved for any strength', (n) => {
    const random = new Random(seed, 'tridiagonal', n);
    // Of half the rank, so that reflections meet what is zero already.
    const half = rows(n, Math.ceil(n / 2), random);
    const a = half.map((x) => half.map((y) => x.reduce((sum, value, i) => sum + value * y[i]!, 0)));
    const b = random.normals(n);
    const factorised = new Tridiagonal(Float64Array.from(a.flat()), n);
    for (const r of [2, 1e-3]) {
      const shifted = a.map((row, i) => row.map((value, j) => (i === j ? value + r : value)));
      const x = factorised.solve(r, Float64Array.from(b))!;
      expect(error(x, gauss(shifted, [...b]))).toBeLessThan(1e-8);
    }
    expect(factorised.solve(-1e9, Float64Array.from(b))).toBeUndefined();
  });

  test('a matrix of zeros is solved, too', () => {
    expect(new Tridiagonal(new Float64Array(9), 3).solve(2, Float64Array.of(2, 4, -6))).toEqual(
      Float64Array.of(1, 2, -3),
    );
  });

  test('products of rows are the same when only some of them fit in memory', () => {
    const random = new Random(seed, 'products');
    const width = 131;
    const [list, more] = [rows(23, width, random), rows(5, width, random)];
    // As a reader of files, it has one row at a time.
    const memory = new Float64Array(width);
    const read = (from: Float64Array[]): Rows => ({
      ...{ count: from.length, width },
      read(i) {
        memory.set(from[i]!);
        return memory;
      },
    });
    const expected = (x: Float64Array, y: Float64Array) =>
      x.reduce((sum, value, i) => sum + value * y[i]!, 0);
    // 1, 3, 6 and all of the rows are held.
    for (const budget of [1, 2200, 4400, 2 ** 20]) {
      const { own, cross } = rowProducts(read(list), read(more), budget);
      for (let i = 0; i < 23; i++) {
        for (let j = 0; j <= i; j++) expect(own[23 * i + j]!).toBeCloseTo(expected(list[i]!, list[j]!), 10);
        for (let m = 0; m < 5; m++) expect(cross[23 * m + i]!).toBeCloseTo(expected(more[m]!, list[i]!), 10);
      }
    }
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
    const [train, val, test] = [split(30), split(20), split(25)];
    const features = all(train.features, val.features, test.features);
    const targets = new Map([['y', { train: train.targets, val: val.targets, test: test.targets }]]);
    const strengths = [1000, 30, 1, 1e-5];
    const result = probe(features, targets, strengths).get('y')!;
    const [fits] = ridge(features, [train.targets], strengths);
    const scores = fits!.map((fit) => r2(val.targets, fit!.val));
    const best = scores.indexOf(Math.max(...scores));
    expect(result.r2.val).toBe(Math.max(...scores));
    expect(result.strength).toBe(strengths[best]!);
    expect(result.r2.test).toBe(r2(test.targets, fits![best]!.test));
    expect(probe(features, targets, [7, 7]).get('y')!.strength).toBe(7);
  });

  test('says so when nothing can be solved', () => {
    const bad = [Float64Array.of(Number.NaN)];
    const y = Float64Array.of(1);
    const targets = new Map([['y', { train: y, val: y, test: y }]]);
    expect(() => probe(all(bad), targets, [1])).toThrow('no ridge strength gives a solvable system');
  });

  test('R² is 1 for the truth, 0 for its mean, and negative for worse', () => {
    const y = Float64Array.of(1, 2, 6);
    expect(r2(y, y)).toBe(1);
    expect(r2(y, Float64Array.of(3, 3, 3))).toBe(0);
    expect(r2(y, Float64Array.of(6, 6, 1))).toBeLessThan(0);
  });
});
