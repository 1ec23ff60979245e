/** The assignment problem against every permutation, and against its dual where those are too many. */
import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { assign } from '../../src/sane/assignment.ts';
import { testSeed } from '../seed.ts';

/** Costs of a kind: normal numbers, few different ones so that many assignments are as good, or nearly a permutation. */
const kinds: Record<string, (random: Random, i: number, j: number, n: number) => number> = {
  normal: (random) => random.normal(),
  ties: (random) => random.integer(3),
  'near a permutation': (random, i, j, n) => random.uniform() - ((7 * i + 3) % n === j ? 2 : 0),
  large: (random) => 1e12 * random.normal(),
};

const matrix = (kind: string, n: number) => {
  const random = new Random(testSeed, 'assignment', kind, n);
  return Float64Array.from({ length: n * n }, (_, k) => kinds[kind]!(random, Math.floor(k / n), k % n, n));
};

const total = (costs: Float64Array, n: number, columns: ArrayLike<number>) =>
  Array.from(columns).reduce((sum, j, i) => sum + costs[i * n + j]!, 0);

/** The smallest sum over all permutations. */
function leastOf(
  costs: Float64Array,
  n: number,
  row = 0,
  free = Array.from({ length: n }, (_, j) => j),
): number {
  if (row === n) return 0;
  return Math.min(
    ...free.map(
      (j) =>
        costs[row * n + j]! +
        leastOf(
          costs,
          n,
          row + 1,
          free.filter((k) => k !== j),
        ),
    ),
  );
}

describe.each(Object.keys(kinds))('assignment, costs %s', (kind) => {
  test.each([1, 2, 3, 4, 5, 6, 7])('of %d rows is the best of all permutations', (n) => {
    const costs = matrix(kind, n);
    const { columns } = assign(costs, n);
    expect([...columns].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, j) => j));
    const least = leastOf(costs, n);
    expect(Math.abs(total(costs, n, columns) - least)).toBeLessThanOrEqual(1e-12 * Math.abs(least));
  });

  test.each([31, 128, 301])('of %d rows is proved best by its dual', (n) => {
    const costs = matrix(kind, n);
    const { columns, u, v } = assign(costs, n);
    expect(new Set(columns).size).toBe(n);
    const scale = Math.max(...costs.map(Math.abs));
    let worst = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) worst = Math.max(worst, (u[i]! + v[j]! - costs[i * n + j]!) / scale);
    }
    // No assignment costs less than the sum of the dual variables.
    expect(worst).toBeLessThan(1e-12);
    const bound = [...u, ...v].reduce((a, b) => a + b, 0);
    expect(Math.abs(total(costs, n, columns) - bound) / (scale * n)).toBeLessThan(1e-12);
    expect(assign(costs, n).columns).toEqual(columns);
  });
});

test('refuses what is no square of finite numbers', () => {
  expect(() => assign(new Float64Array(5), 2)).toThrow('costs of 2 rows and columns are 5 numbers');
  expect(() => assign(Float64Array.of(1, 2, Number.NaN, 3), 2)).toThrow('a cost is not a finite number');
});
