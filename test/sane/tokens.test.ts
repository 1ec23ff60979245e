import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { Architecture } from '../../src/nets/architecture.ts';
import { permute, randomOrders } from '../../src/nets/permute.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { destandardize, fitStandardization, standardize } from '../../src/sane/standardize.ts';
import {
  detokenize,
  flatten,
  tokenize,
  tokenLayout,
  unflatten,
  withUntokenized,
} from '../../src/sane/tokenize.ts';
import { cnnLarge, cnnSmall, oracleForward, randomWeights } from '../nets/networks.ts';
import { testSeed as seed } from '../seed.ts';
import { drawOf, inMemory } from './view-sets.ts';

/** The tokeniser again, by its definition: rows of [weight | bias], padded and cut. */
function oracleTokens(
  architecture: Architecture,
  weights: Map<string, Float32Array>,
  size: number,
  leftOut: (name: string) => boolean = () => false,
) {
  const tokens: number[] = [];
  const mask: number[] = [];
  const positions: number[] = [];
  let layer = 0;
  for (const { name, shape } of architecture.parameters) {
    if (!name.endsWith('.weight') || leftOut(name)) continue;
    const bias = weights.get(name.replace('.weight', '.bias'));
    const width = shape.slice(1).reduce((a, b) => a * b, 1);
    for (let row = 0; row < shape[0]!; row++) {
      const values = [
        ...weights.get(name)!.subarray(row * width, (row + 1) * width),
        ...(bias ? [bias[row]!] : []),
      ];
      for (let at = 0; at < values.length; at += size) {
        const part = values.slice(at, at + size);
        for (let i = 0; i < size; i++) {
          tokens.push(part[i] ?? 0);
          mask.push(i < part.length ? 1 : 0);
        }
        positions.push(positions.length / 3, layer, row);
      }
    }
    layer++;
  }
  return { tokens, mask, positions };
}

describe('tokens', () => {
  test('of cnn-small are 48 at its natural size, of the larger CNN 93', () => {
    expect(tokenLayout(cnnSmall, 201).tokens).toBe(48);
    const layout = tokenLayout(cnnLarge, 289);
    expect(layout.tokens).toBe(93);
    expect(layout.layers.map(({ firstToken }) => firstToken)).toEqual([0, 16, 48, 63, 83]);
    expect([...layout.positions.subarray(150, 153)]).toEqual([50, 2, 2]);
    const filled = layout.source.filter((index) => index >= 0).length / layout.source.length;
    expect(filled).toBeCloseTo(0.404, 3);
  });

  test.each([3, 7, 25, 64, 201, 289, 500])('of %d numbers are as defined, and go back bit by bit', (size) => {
    for (const architecture of [cnnSmall, cnnLarge]) {
      const weights = randomWeights(architecture, seed + size);
      const layout = tokenLayout(architecture, size);
      const flat = flatten(architecture, weights);
      const tokens = tokenize(layout, flat);
      const oracle = oracleTokens(architecture, weights, size);
      expect([...tokens]).toEqual(oracle.tokens);
      expect([...layout.source].map((index) => (index < 0 ? 0 : 1))).toEqual(oracle.mask as (0 | 1)[]);
      expect([...layout.positions]).toEqual(oracle.positions);
      expect(unflatten(architecture, detokenize(layout, tokens))).toEqual(weights);
    }
  });

  test('of ResNet-18 leave batch normalisation out, unless asked', () => {
    for (const [classes, without, all] of [
      [10, 39_124, 53_524],
      [200, 39_504, 53_904],
    ] as const) {
      const net = getArchitecture('resnet18', { input: [32, 32, 3], classes, width: null });
      expect(tokenLayout(net, 288).tokens).toBe(without);
      expect(tokenLayout(net, 288, true).tokens).toBe(all);
    }
    const net = getArchitecture('resnet18', { input: [28, 28, 1], classes: 10, width: 3 });
    const weights = randomWeights(net, seed);
    const flat = flatten(net, weights);
    expect(unflatten(net, flat)).toEqual(weights);
    const layout = tokenLayout(net, 17);
    expect(layout.layers.length).toBe(21);
    const tokens = tokenize(layout, flat);
    const oracle = oracleTokens(net, weights, 17, (name) => /bn|downsample.1/.test(name));
    expect([...tokens]).toEqual(oracle.tokens);
    expect([...layout.positions]).toEqual(oracle.positions);
    const other = randomWeights(net, seed + 1);
    const mixed = unflatten(net, withUntokenized(layout, detokenize(layout, tokens), flatten(net, other)));
    for (const [name, values] of mixed) {
      const norm = /bn|downsample.1/.test(name);
      expect(values).toEqual((norm ? other : weights).get(name)!);
    }
  }, 300_000);

  test('of batch normalisation are its gains and biases, its means, its variances', () => {
    const net = getArchitecture('resnet18', { input: [28, 28, 1], classes: 10, width: 3 });
    const flat = flatten(net, randomWeights(net, seed));
    const layout = tokenLayout(net, 5, true);
    expect(layout.untokenized).toEqual([]);
    expect(layout.layers.slice(1, 4).map(({ name, tokens }) => [name, tokens])).toEqual([
      ['bn1.weight', 3],
      ['bn1.running_mean', 3],
      ['bn1.running_var', 3],
    ]);
    expect(detokenize(layout, tokenize(layout, flat))).toEqual(flat);
  });

  test('drop what a decoder writes into padding', () => {
    const layout = tokenLayout(cnnSmall, 50);
    const flat = flatten(cnnSmall, randomWeights(cnnSmall, seed));
    const tokens = tokenize(layout, flat).map((x, i) => (layout.source[i]! < 0 ? 99 : x));
    expect(detokenize(layout, tokens)).toEqual(flat);
  });

  test('say which weight is missing or has the wrong size', () => {
    const weights = randomWeights(cnnSmall, seed);
    weights.set('module_list.3.bias', new Float32Array(5));
    expect(() => flatten(cnnSmall, weights)).toThrow(
      'cnn-small: module_list.3.bias has 5 numbers, its shape [6] needs 6',
    );
    weights.delete('module_list.3.bias');
    expect(() => flatten(cnnSmall, weights)).toThrow('cnn-small: the model has no module_list.3.bias');
  });
});

describe('standardisation', () => {
  const layout = tokenLayout(cnnSmall, 289);
  const models = Array.from({ length: 5 }, (_, i) =>
    flatten(cnnSmall, randomWeights(cnnSmall, seed + i)).map((x) => 3 * x + 0.5),
  );

  test('is by the mean of means and the root of the mean of unbiased variances, weight and bias together', () => {
    const fitted = fitStandardization(layout, models);
    for (const [name, size] of [
      ['module_list.6', 4],
      ['module_list.11', 10],
    ] as const) {
      const start = cnnSmall.parameters.findIndex((p) => p.name === `${name}.weight`);
      const sizeOf = (i: number) => cnnSmall.parameters[i]!.shape.reduce((a, b) => a * b, 1);
      const from = Array.from({ length: start }, (_, i) => sizeOf(i)).reduce((a, b) => a + b, 0);
      const values = models.map((flat) => [...flat.subarray(from, from + sizeOf(start) + size)]);
      const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;
      const mu = mean(values.map(mean));
      const variances = values.map(
        (list) => list.reduce((sum, x) => sum + (x - mean(list)) ** 2, 0) / (list.length - 1),
      );
      expect(fitted[`${name}.weight`]!.mean).toBeCloseTo(mu, 10);
      expect(fitted[`${name}.weight`]!.sd).toBeCloseTo(Math.sqrt(mean(variances)), 10);
    }
  });

  test('can be undone', () => {
    const fitted = fitStandardization(layout, models);
    const back = destandardize(layout, standardize(layout, models[1]!, fitted), fitted);
    for (const [i, x] of back.entries()) expect(x).toBeCloseTo(models[1]![i]!, 5);
  });

  test('says which layer is constant', () => {
    const constant = new Float32Array(layout.numbers);
    expect(() => fitStandardization(layout, [constant])).toThrow(
      'layer module_list.0.weight is constant in every model and cannot be standardised; set sane.standardization: none',
    );
    const broken = models[0]!.with(-1, Number.NaN);
    expect(() => fitStandardization(layout, [models[1]!, broken], (i) => `file ${i}`)).toThrow(
      'file 1: layer module_list.11.weight holds numbers that are not finite',
    );
    expect(() => fitStandardization(layout, [])).toThrow('standardisation needs at least one model');
    expect(() => standardize(layout, constant, {})).toThrow(
      'no standardisation for layer module_list.0.weight',
    );
  });
});

describe('views', () => {
  const weights = randomWeights(cnnSmall, seed);
  const flat = flatten(cnnSmall, weights);
  const size = 100;
  const layout = tokenLayout(cnnSmall, size);
  const origin = { architecture: cnnSmall, layout };

  test('permuted anew each time, are tokens of a network of the same function', () => {
    const settings = { window: layout.tokens, noise: 0, view_1: 'canonical', view_2: 'permuted' } as const;
    const views = drawOf(origin, [inMemory(flat)], settings, new Random(seed, 'views'));
    const half = views.tokens.length / 2;
    expect(views.tokens.subarray(0, half)).toEqual(tokenize(layout, flat));
    const other = unflatten(cnnSmall, detokenize(layout, views.tokens.subarray(half)));
    expect(other).not.toEqual(weights);
    const image = new Random(seed, 'image').normals(784);
    const expected = oracleForward(cnnSmall, weights, image, Math.tanh);
    for (const [i, x] of oracleForward(cnnSmall, other, image, Math.tanh).entries())
      expect(x).toBeCloseTo(expected[i]!, 6);
    expect([...views.positions.subarray(views.positions.length / 2)]).toEqual([...layout.positions]);
  });

  test('are reordered as a whole network is', () => {
    for (const [net, withNorms] of [
      [cnnSmall, false],
      [getArchitecture('resnet18', { input: [28, 28, 1], classes: 10, width: 3 }), true],
      [getArchitecture('densenet121', { input: [32, 32, 3], classes: 10, width: 4 }), false],
    ] as const) {
      const own = randomWeights(net, seed);
      const tokens = tokenLayout(net, 31, withNorms);
      const settings = { window: 40, noise: 0, view_1: 'permuted', view_2: 'canonical' } as const;
      const origin = { architecture: net, layout: tokens };
      const model = inMemory(flatten(net, own));
      const views = drawOf(origin, [model], settings, new Random(seed, 'order'));
      // The same draws as the view's: where the window begins, then the orders.
      const random = new Random(seed, 'order');
      const start = random.integer(tokens.tokens - 40 + 1);
      const expected = tokenize(tokens, flatten(net, permute(net, own, randomOrders(net, random))));
      expect(views.tokens.subarray(0, 40 * 31)).toEqual(expected.subarray(start * 31, (start + 40) * 31));
    }
  });

  test('are of a few permutations where that is set: of each model its own, or the same for all', () => {
    const name = (i: number) => `model ${i}`;
    const models = Array.from({ length: 120 }, (_, i) => inMemory(flat, new Map(), name(i % 2)));
    const settings = { window: layout.tokens, noise: 0, view_1: 'permuted', view_2: 'permuted' } as const;
    const views = (protocol: 'own' | 'shared', of = seed, stream = 'a') => {
      const orders = { seed: of, count: 3, protocol };
      const { tokens } = drawOf(origin, models, { ...settings, orders }, new Random(seed, stream));
      const length = layout.tokens * size;
      // Rows of even models, then of odd ones, as texts that are the same only for the same numbers.
      const found: [Set<string>, Set<string>] = [new Set(), new Set()];
      for (let row = 0; row < 240; row++) {
        found[(row % 2) as 0 | 1].add(String(Bun.hash(tokens.slice(row * length, (row + 1) * length))));
      }
      return found;
    };
    const [even, odd] = views('own');
    expect([even.size, odd.size]).toEqual([3, 3]);
    expect(even.isDisjointFrom(odd)).toBe(true);
    const [one, other] = views('shared');
    expect(one.size).toBe(3);
    expect(one).toEqual(other);
    // They are of the seed, not of the draw.
    expect(views('own', seed, 'b')).toEqual([even, odd]);
    expect(views('own', seed + 1)[0].isDisjointFrom(even)).toBe(true);
  });

  test('are of a pool as in June 2024: of each model five of 200 and itself, two different ones in a batch', () => {
    const settings = { window: layout.tokens, noise: 0, view_1: 'permuted', view_2: 'permuted' } as const;
    const orders = { seed, count: 5, protocol: 'pool' } as const;
    const hash = (tokens: Float32Array) => String(Bun.hash(tokens));
    const itself = hash(tokenize(layout, flat));
    // All models are the same network, so that a row tells which permutation it is.
    const pool = new Set(
      Array.from({ length: 200 }, (_, i) => {
        const permutations = randomOrders(cnnSmall, new Random(seed, 'permutation', 'pool', i));
        return hash(tokenize(layout, flatten(cnnSmall, permute(cnnSmall, weights, permutations))));
      }),
    );
    expect(pool.size).toBe(200);
    const count = 20;
    const models = Array.from({ length: count }, (_, i) => inMemory(flat, new Map(), `model ${i}`));
    const length = layout.tokens * size;
    const rowsOf = (batch: number, changes: { view_1?: 'canonical' } = {}) => {
      const drawn = { ...settings, ...changes, orders };
      const { tokens } = drawOf(origin, models, drawn, new Random(seed, 'pool', batch));
      return Array.from({ length: 2 * count }, (_, row) =>
        hash(tokens.slice(row * length, (row + 1) * length)),
      );
    };
    const found = models.map(() => new Set<string>());
    const batches = 60;
    let withItself = 0;
    for (let batch = 0; batch < batches; batch++) {
      const rows = rowsOf(batch);
      for (const [row, one] of rows.entries()) {
        found[row % count]?.add(one);
        expect(one === itself || pool.has(one)).toBe(true);
      }
      // One draw for all of the batch: the model itself is a view of each or of none, and never both views.
      const own = [0, 1].map((v) => rows.slice(v * count, (v + 1) * count).filter((one) => one === itself));
      for (const { length } of own) expect([0, count]).toContain(length);
      if (own.some(({ length }) => length > 0)) withItself++;
      for (let i = 0; i < count; i++) expect(rows[i]).not.toBe(rows[i + count]!);
    }
    // Two of six: a third of the batches, 20 ± 3.7 of 60.
    expect(withItself).toBeGreaterThan(8);
    expect(withItself).toBeLessThan(32);
    for (const one of found) {
      expect(one.size).toBe(6);
      expect(one.has(itself)).toBe(true);
    }
    // 100 draws of 200 leave about 79 different ones; of models' own there would be 100.
    const all = new Set(found.flatMap((one) => [...one]));
    expect(all.size - 1).toBeGreaterThan(65);
    expect(all.size - 1).toBeLessThan(93);
    // A view that is canonical is the model itself whatever was drawn.
    expect(new Set(rowsOf(0, { view_1: 'canonical' }).slice(0, count))).toEqual(new Set([itself]));
  });

  test('have windows of their own, with noise in proportion to the weights and none in padding', () => {
    const settings = { window: 7, noise: 0.1, view_1: 'canonical', view_2: 'canonical' } as const;
    const models = Array.from({ length: 60 }, () => inMemory(flat));
    const views = drawOf(origin, models, settings, new Random(seed, 'windows'));
    const starts = new Set<number>();
    const whole = tokenize(layout, flat);
    const ratios: number[] = [];
    for (let row = 0; row < views.rows; row++) {
      const start = views.positions[row * 21]!;
      starts.add(start);
      expect(start).toBeLessThanOrEqual(layout.tokens - 7);
      for (let i = 0; i < 700; i++) {
        const source = layout.source[start * size + i]!;
        const value = views.tokens[row * 700 + i]!;
        expect(views.mask[row * 700 + i]).toBe(source < 0 ? 0 : 1);
        if (source < 0) expect(value).toBe(0);
        else ratios.push(value / whole[start * size + i]! - 1);
      }
    }
    expect(starts.size).toBeGreaterThan(20);
    const sd = Math.sqrt(ratios.reduce((sum, x) => sum + x * x, 0) / ratios.length);
    expect(sd).toBeCloseTo(0.1, 2);
  });
});
