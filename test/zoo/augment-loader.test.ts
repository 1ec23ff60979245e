/** Augmented images made by threads are those that one stream of draws for each model gives, and training takes its steps on them. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { ImageFormat } from '../../src/data/dataset.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { tf } from '../../src/tensor/tf.ts';
import { augmentBatch } from '../../src/zoo/augment.ts';
import { AugmentLoader } from '../../src/zoo/augment-loader.ts';
import { type Member, members, type ZooConfig } from '../../src/zoo/members.ts';
import { PopulationTraining, prepare } from '../../src/zoo/train.ts';
import { cnnSmall } from '../nets/networks.ts';
import { testSeed } from '../seed.ts';
import { expectClose } from '../tensor/compare.ts';
import { kernelDevices, startTested } from '../tensor/devices.ts';

const random = new Random(testSeed, 'augment-loader');
const dataset: ImageFormat = {
  name: 'noise',
  shape: [28, 28, 1],
  classes: 10,
  normalize: { mean: [0.4], std: [0.3] },
};
const [count, size] = [23, 784];
const set = {
  images: Uint8Array.from({ length: count * size }, () => random.integer(256)),
  labels: Uint8Array.from({ length: count }, () => random.integer(10)),
};
const augmentation = { crop_padding: 3, flip: true, rotation: 20 };

const augmented = (numbers: ArrayLike<number>, stream: Random): Float32Array => {
  const out = new Float32Array(numbers.length * size);
  augmentBatch(set, dataset, numbers, augmentation, stream, out);
  return out;
};

test('the images of an epoch do not depend on the number of threads', async () => {
  const seeds = [5, 6, 7, 8, 9];
  // The last step is smaller.
  const steps = [4, 4, 3].map((batch) =>
    seeds.map(() => Int32Array.from({ length: batch }, () => random.integer(count))),
  );
  const epochs = [1, 2].map((epoch) => {
    const streams = seeds.map((seed) => new Random(seed, 'zoo', 'augmentation', epoch));
    return steps.map((step) => step.flatMap((numbers, m) => [...augmented(numbers, streams[m]!)]));
  });
  for (const threads of [1, 2, 3, 9]) {
    using loader = new AugmentLoader(set, dataset, augmentation, seeds.length, threads);
    for (const [i, expected] of epochs.entries()) {
      const got: number[][] = [];
      for await (const pixels of loader.epoch(i + 1, seeds, steps)) got.push([...pixels]);
      expect(got).toEqual(expected);
    }
  }
});

describe('training', () => {
  beforeAll(() => startTested([kernelDevices.at(-1)!], 2));

  const settings: ZooConfig = {
    ...(defaults.zoo as unknown as ZooConfig),
    ...{ architecture: 'cnn-small', models: 2, seed: 5, epochs: 1, batch_size: count, checkpoints: [1] },
    ...{ optimizer: 'sgd', learning_rate: 0.1, weight_decay: 0, dropout: 0, vary: {} },
    ...{ activation: 'tanh', init: 'kaiming-uniform', ...augmentation },
  };

  const two = members(settings).slice(0, 2) as [Member, Member];
  async function train(config: ZooConfig, which: [Member, ...Member[]], images: typeof set | Float32Array) {
    const train = prepare(set, { dataset });
    if (images instanceof Float32Array) {
      train.images.dispose();
      train.images = tf.tensor4d(images, [count, 28, 28, 1]);
    }
    const training = new PopulationTraining(cnnSmall, config, which, {
      train,
      test: train,
      bytes: { set, dataset },
    });
    await training.trainEpoch();
    const models = training.models();
    training.dispose();
    tf.dispose([train.images, train.labels]);
    return models;
  }

  test('with augmentation takes each model’s step on its own images, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const together = await train(settings, two, set);
    const plain = { ...settings, crop_padding: 0, flip: false, rotation: 0 };
    for (const [m, member] of two.entries()) {
      // One step sees all images, in an order of the model's own.
      const order = new Random(member.seed, 'zoo', 'order', 1).permutation(count);
      const seen = augmented(order, new Random(member.seed, 'zoo', 'augmentation', 1));
      const images = new Float32Array(count * size);
      for (const [i, n] of order.entries()) images.set(seen.subarray(i * size, (i + 1) * size), n * size);
      const [alone] = await train(plain, [member], images);
      const [without] = await train(plain, [member], set);
      const weights = together[m]!.checkpoints[0]!.weights;
      let moved = 0;
      for (const [name, values] of alone!.checkpoints[0]!.weights) {
        expectClose(weights.get(name)!, values, 1e-5);
        const other = without!.checkpoints[0]!.weights.get(name)!;
        moved = Math.max(moved, ...values.map((x, i) => Math.abs(x - other[i]!)));
      }
      // Without augmentation the step is another.
      expect(moved).toBeGreaterThan(1e-4);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  test('that is disposed of ends its threads', async () => {
    const data = prepare(set, { dataset });
    const training = new PopulationTraining(cnnSmall, settings, two, {
      train: data,
      test: data,
      bytes: { set, dataset },
    });
    training.dispose();
    const failure = await training.trainEpoch().catch((error: Error) => error.message);
    expect(failure).toBe('the thread that augments images ended: it was closed');
    tf.dispose([data.images, data.labels]);
  });

  test('without the images as bytes fails', () => {
    const data = prepare(set, { dataset });
    expect(() => new PopulationTraining(cnnSmall, settings, two, { train: data, test: data })).toThrow(
      'augmentation needs the training images as bytes',
    );
    tf.dispose([data.images, data.labels]);
  });
});
