import { expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { kendallTau } from '../../src/stages/property-prediction/kendall.ts';
import { testSeed } from '../seed.ts';

/** Pair by pair, by the definition. */
function definition(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let [score, untiedX, untiedY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const [dx, dy] = [Math.sign(x[i]! - x[j]!), Math.sign(y[i]! - y[j]!)];
      score += dx * dy;
      untiedX += Math.abs(dx);
      untiedY += Math.abs(dy);
    }
  }
  return score / Math.sqrt(untiedX * untiedY);
}

test('tau-b is that of all pairs, with ties and without', () => {
  const random = new Random(testSeed, 'kendall');
  for (const [n, values] of [
    ...([2, 3, 7, 64, 257] as const).map((n) => [n, 1e9] as const),
    ...([5, 31, 100, 255] as const).map((n) => [n, 7] as const),
  ]) {
    const x = Float64Array.from({ length: n }, (_, i) => (i < 2 ? i : random.integer(values)));
    const y = x.map((value, i) => (i < 2 ? -value : (value + random.integer(values)) % values));
    expect(kendallTau(x, y)).toBeCloseTo(definition(x, y), 12);
  }
});

test('tau-b of known lists', () => {
  expect(kendallTau([1, 2, 3, 4], [10, 20, 30, 40])).toBe(1);
  expect(kendallTau([1, 2, 3, 4], [4, 3, 2, 1])).toBe(-1);
  // scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0])
  expect(kendallTau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0])).toBeCloseTo(-0.47140452079103173, 12);
  // Numbers that are all the same order nothing.
  expect(kendallTau([1, 1, 1], [1, 2, 3])).toBe(0);
});
