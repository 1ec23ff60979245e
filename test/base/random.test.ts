import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';

describe('Random', () => {
  test('streams depend on seed and name, and on nothing else', () => {
    const draw = (...args: ConstructorParameters<typeof Random>) => new Random(...args).normals(4);
    expect(draw(1, 'a', 2)).toEqual(draw(1, 'a', 2));
    expect(draw(1, 'a', 2)).not.toEqual(draw(1, 'a', 3));
    expect(draw(1, 'a', 2)).not.toEqual(draw(2, 'a', 2));
    expect(draw(1, 'a', '2')).not.toEqual(draw(1, 'a', 2));
  });

  test('uniform, normal and integer have the moments of their distributions', () => {
    const random = new Random(7, 'moments');
    const n = 40_000;
    const mean = (f: () => number) => Array.from({ length: n }, f).reduce((a, b) => a + b, 0) / n;
    expect(mean(() => random.uniform())).toBeCloseTo(0.5, 1);
    expect(mean(() => random.uniform(-1, 3) ** 2)).toBeCloseTo(7 / 3, 1);
    expect(Math.abs(mean(() => random.normal()))).toBeLessThan(0.02);
    expect(mean(() => random.normal() ** 2)).toBeCloseTo(1, 1);
    expect(mean(() => random.normal() ** 4)).toBeGreaterThan(2.7);
    const counts = [0, 0, 0];
    for (let i = 0; i < n; i++) counts[random.integer(3)]!++;
    for (const count of counts) expect(Math.abs(count / n - 1 / 3)).toBeLessThan(0.02);
  });

  test('permutation holds every number once and is uniform', () => {
    const random = new Random(3, 'permutation');
    for (const n of [0, 1, 2, 17])
      expect([...random.permutation(n)].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
    const first = [0, 0, 0, 0];
    for (let i = 0; i < 8000; i++) first[random.permutation(4)[0] as number]!++;
    for (const count of first) expect(Math.abs(count / 8000 - 0.25)).toBeLessThan(0.03);
  });
});
