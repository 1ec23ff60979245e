/** Novelty against float64 code by its definition, and what networks without an autoencoder are. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { Outline, StateDict } from '../../src/nets/architecture.ts';
import { permute, randomOrders } from '../../src/nets/permute.ts';
import { errorOverlap, largestOverlap, nearestDistances } from '../../src/sane/novelty.ts';
import { averageOf, withNoise } from '../../src/sane/prompt-baselines.ts';
import { WeightMatching } from '../../src/sane/weight-matching.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { cnnSmall, randomWeights } from '../nets/networks.ts';

let tensors = 0;
beforeAll(async () => {
  await startDevice('wasm', { threads: 1 });
  tensors = tf.memory().numTensors;
});
afterAll(() => expect(tf.memory().numTensors).toBe(tensors));

const training = [1, 2, 3, 4].map((seed) => randomWeights(cnnSmall, seed));
const random = (network: number, other: number) => new Random(7, network, other);

/** The parameters, one after the other. */
const vector = ({ parameters }: Outline, weights: StateDict): number[] =>
  parameters.flatMap(({ name }) => [...weights.get(name)!]);
const distance = (a: StateDict, b: StateDict) => {
  const y = vector(cnnSmall, b);
  return Math.sqrt(vector(cnnSmall, a).reduce((sum, x, i) => sum + (x - y[i]!) ** 2, 0));
};

describe('the overlap of errors', () => {
  test('is the size of the intersection over that of the union', () => {
    const draw = new Random(5);
    const masks = Array.from({ length: 4 }, () => Uint8Array.from({ length: 301 }, () => draw.integer(2)));
    const wrong = masks.map((mask) => new Set([...mask.keys()].filter((i) => mask[i] === 1)));
    const overlap = (a: number, b: number) =>
      wrong[a]!.intersection(wrong[b]!).size / wrong[a]!.union(wrong[b]!).size;
    expect(errorOverlap(masks[0]!, masks[1]!)).toBe(overlap(0, 1));
    expect(largestOverlap(masks[0]!, undefined, masks.slice(1))).toBe(
      Math.max(overlap(0, 1), overlap(0, 2), overlap(0, 3)),
    );
    // One of them itself has the same errors, and is left out.
    expect(largestOverlap(masks[1]!, undefined, masks)).toBe(1);
    expect(largestOverlap(masks[1]!, 1, masks)).toBe(Math.max(overlap(1, 0), overlap(1, 2), overlap(1, 3)));
  });

  test('is 0 where nothing is wrong, or nothing in common', () => {
    expect(errorOverlap(Uint8Array.of(0, 0), Uint8Array.of(0, 0))).toBe(0);
    expect(errorOverlap(Uint8Array.of(1, 0), Uint8Array.of(0, 1))).toBe(0);
  });
});

describe('the nearest training network', () => {
  test('is a copy with other orders of its units, at a distance of 0', async () => {
    const copy = permute(cnnSmall, training[2]!, randomOrders(cnnSmall, new Random(9)));
    expect(distance(copy, training[2]!)).toBeGreaterThan(1);
    const [found] = await nearestDistances(cnnSmall, [{ weights: copy }], training, null, random);
    expect(found!).toBeLessThan(1e-6);
    // Among networks that are aligned to the first, it is enough to match the nearest.
    const matching = new WeightMatching(cnnSmall, training[0]!);
    const aligned = [training[0]!];
    for (const [i, one] of training.slice(1).entries()) {
      const { permutations } = await matching.match(one, random(i, 0));
      aligned.push(permute(cnnSmall, one, permutations));
    }
    matching.dispose();
    const [again] = await nearestDistances(cnnSmall, [{ weights: copy }], aligned, 1, random);
    expect(again!).toBeLessThan(1e-6);
  });

  test('is at the least distance in float64 where it is nearest as it is, and never farther than that', async () => {
    const near = withNoise(cnnSmall, training[1]!, 0.02, new Random(3));
    const far = randomWeights(cnnSmall, 11);
    const given = [{ weights: near }, { weights: far }, { weights: training[0]!, own: 0 }];
    const [first, second, own] = await nearestDistances(cnnSmall, given, training, 2, random);
    expect(first! / distance(near, training[1]!)).toBeCloseTo(1, 9);
    const plain = Math.min(...training.map((other) => distance(far, other)));
    expect(second!).toBeLessThan(plain);
    // A matching that is tried on more networks finds none farther.
    const [, all] = await nearestDistances(cnnSmall, given, training, null, random);
    expect(all!).toBeLessThanOrEqual(second!);
    expect(own!).toBeGreaterThan(
      0.5 * Math.min(...training.slice(1).map((other) => distance(training[0]!, other))),
    );
  });

  test('of weights that are not finite is infinitely far, and none is an error', async () => {
    const broken = new Map(training[0]!);
    broken.set(
      cnnSmall.parameters[0]!.name,
      broken.get(cnnSmall.parameters[0]!.name)!.map(() => Number.NaN),
    );
    expect(await nearestDistances(cnnSmall, [{ weights: broken }], training, 2, random)).toEqual([
      Number.POSITIVE_INFINITY,
    ]);
    const alone = [{ weights: training[0]!, own: 0 }];
    await expect(nearestDistances(cnnSmall, alone, training.slice(0, 1), 1, random)).rejects.toThrow(
      'a network has no other training network to be compared with',
    );
  });
});

test('noise is in proportion to the parameter that it is added to', () => {
  const scaled = new Map(
    [...training[0]!].map(([name, values], i) => [name, values.map((w) => w * 10 ** (i % 3))]),
  );
  const noisy = withNoise(cnnSmall, scaled, 0.3, new Random(2));
  for (const { name, shape } of cnnSmall.parameters.filter(({ shape }) => shape.length > 1)) {
    const [w, x] = [scaled.get(name)!, noisy.get(name)!];
    const size = shape.reduce((a, b) => a * b, 1);
    const rms = (values: ArrayLike<number>) =>
      Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0) / size);
    const ratio = rms(x.map((value, i) => value - w[i]!)) / rms(w);
    // The standard error of a standard deviation of n numbers is 1 / sqrt(2n) of it.
    expect(Math.abs(ratio / 0.3 - 1)).toBeLessThan(4 / Math.sqrt(2 * size));
  }
  expect(withNoise(cnnSmall, scaled, 0, new Random(2))).toEqual(scaled);
});

test('the average of a network and copies of it with other orders is the network', async () => {
  const copies = [1, 2].map((seed) =>
    permute(cnnSmall, training[0]!, randomOrders(cnnSmall, new Random(seed))),
  );
  const average = await averageOf(cnnSmall, [training[0]!, ...copies], new Random(4));
  expect(distance(average, training[0]!)).toBeLessThan(1e-5);
  // As they are, it is another.
  expect(distance(copies[0]!, training[0]!)).toBeGreaterThan(1);
});
