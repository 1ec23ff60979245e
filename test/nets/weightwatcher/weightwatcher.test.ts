/** Features of spectra: against the package weightwatcher on layers with fixed seeds, and against sums that need no decomposition. */
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { Random } from '../../../src/base/random.ts';
import { layerSpectra, spectralFeatures, spectralLayers } from '../../../src/nets/weightwatcher/features.ts';
import { fitPowerLaw } from '../../../src/nets/weightwatcher/power-law.ts';
import { eigenvalues, singularValues } from '../../../src/nets/weightwatcher/spectrum.ts';
import { readNetwork } from '../../../src/zoo/formats/network.ts';
import golden from './golden/features.json' with { type: 'json' };

describe('features of layers', () => {
  test('are those of weightwatcher 0.7.7 with its default settings', async () => {
    const { shapes, weights } = await readNetwork(join(import.meta.dir, 'golden', 'layers.safetensors'));
    const spectra = new Map(layerSpectra(shapes, weights));
    expect([...spectra.keys()].sort()).toEqual(
      Object.keys(golden.layers)
        .map((name) => `${name}.weight`)
        .sort(),
    );
    for (const [name, expected] of Object.entries(golden.layers)) {
      const spectrum = spectra.get(`${name}.weight`) as Float64Array;
      const found = { ...spectralFeatures(spectrum), ...fitPowerLaw(spectrum), count: spectrum.length };
      const pairs = {
        log_spectral_norm: expected.log_spectral_norm,
        alpha: expected.alpha,
        weighted_alpha: expected.alpha_weighted,
        stable_rank: expected.stable_rank,
        xmin: expected.xmin,
        distance: expected.D,
        count: expected.num_evals,
      };
      for (const [feature, value] of Object.entries(pairs)) {
        const own = found[feature as keyof typeof found] as number;
        expect(Math.abs(own - value), `${name}: ${feature} ${own}, weightwatcher ${value}`).toBeLessThan(
          1e-8 * Math.max(1, Math.abs(value)),
        );
      }
    }
  });
});

describe('eigenvalues', () => {
  const random = new Random(1, 'weightwatcher');
  const numbers = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

  test.each([
    [[7, 11], 7, 1],
    [[13, 5], 5, 1],
    [[1, 9], 1, 1],
    [[6, 4, 3, 5], 4 * 15, 0.5],
    [[9, 1, 3, 3], 9, 0.5],
    [[5, 7, 3], 5 * 3, 1],
  ])(
    'of a weight %p are %d, as many as its matrices have, and add up to its squares',
    (shape, count, scale) => {
      const weight = numbers(shape.reduce((product, size) => product * size, 1));
      const found = eigenvalues(shape, weight);
      expect(found.length).toBe(count);
      expect(found).toEqual(found.toSorted());
      expect(sum(found)).toBeCloseTo(scale * sum(weight.map((x) => x * x)), 4);
    },
  );

  test('are the squares of singular values, of which the largest is that of power iteration', () => {
    const [rows, columns] = [23, 17];
    const matrix = numbers(rows * columns);
    const at = (i: number, j: number) => matrix[i * columns + j] as number;
    let vector = Float64Array.from({ length: columns }, () => 1);
    let norm = 0;
    for (let step = 0; step < 3000; step++) {
      const image = Float64Array.from({ length: rows }, (_, i) => sum(vector.map((x, j) => at(i, j) * x)));
      const back = vector.map((_, j) => sum(image.map((y, i) => at(i, j) * y)));
      norm = Math.hypot(...back);
      vector = back.map((x) => x / norm);
    }
    expect(Math.max(...singularValues(matrix, rows, columns)) ** 2).toBeCloseTo(norm, 8);
    expect(eigenvalues([rows, columns], matrix).at(-1)).toBeCloseTo(norm, 8);
  });
});

describe('a power law', () => {
  test('is found again in numbers drawn from it', () => {
    // Quantiles of a density x^-2.5 above 1.
    const values = Float64Array.from({ length: 400 }, (_, i) => (1 - i / 400) ** (-1 / 1.5));
    const fit = fitPowerLaw(values);
    expect(fit?.alpha).toBeCloseTo(2.5, 1);
    expect(fit?.distance).toBeLessThan(0.02);
  });

  test('is not fitted to too few numbers, equal ones or zeros', () => {
    for (const values of [[], [1], [1, 2, 3], new Array(30).fill(2), new Array(30).fill(0)])
      expect(fitPowerLaw(Float64Array.from(values))).toBeNull();
    expect(spectralFeatures(new Float64Array(9))).toBeNull();
  });
});

test('layers with fewer than 8 eigenvalues, biases and norms have no features', () => {
  const shapes = new Map([
    ['a.weight', [7, 100]],
    ['b.weight', [8, 100]],
    ['b.bias', [8]],
    ['c.weight', [4, 2, 2, 2]],
    ['d.running_mean', [100]],
    ['e.weight', [100]],
  ]);
  expect(spectralLayers(shapes)).toEqual(['b.weight', 'c.weight']);
});
