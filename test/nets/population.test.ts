import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { Activation, Architecture, Layer } from '../../src/nets/architecture.ts';
import { derive } from '../../src/nets/derive.ts';
import type { DropoutMasks } from '../../src/nets/dropout.ts';
import { applyDropout } from '../../src/nets/dropout.ts';
import { initialWeights } from '../../src/nets/init.ts';
import { populationGradients, populationScores } from '../../src/nets/population.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { expectClose } from '../tensor/compare.ts';
import { kernelDevices, startTested, testNative } from '../tensor/devices.ts';
import { cnnLarge, cnnSmall } from './networks.ts';

const random = new Random(testSeed, 'population');
const activations: Activation[] = ['tanh', 'relu', 'sigmoid', 'gelu'];

beforeAll(async () => {
  await startTested(['cpu', ...kernelDevices], 2);
});

/** A chain of two or three convolutions and one or two dense layers of random sizes, pooling, dropout. */
function randomNetwork(): Architecture {
  const size = (low: number, choices: number) => low + random.integer(choices);
  const input: [number, number, number] = [size(11, 6), size(11, 6), size(1, 3)];
  let [height, width, channels] = input;
  const layers: Layer[] = [];
  const afterwards = () => {
    if (random.integer(4) > 0) layers.push({ kind: 'activation' });
    if (random.integer(2) > 0) layers.push({ kind: 'dropout' });
  };
  for (let i = 0; i < 2; i++) {
    const [kernel, outputs] = [size(1, 3), size(1, 11)];
    layers.push({ kind: 'conv2d', name: `conv${i}`, inputs: channels, outputs, kernel });
    [height, width, channels] = [height - kernel + 1, width - kernel + 1, outputs];
    if (random.integer(2) > 0) {
      layers.push({ kind: 'max-pool' });
      [height, width] = [height >> 1, width >> 1];
    }
    afterwards();
  }
  const [hidden, classes] = [size(1, 20), size(2, 9)];
  layers.push({ kind: 'flatten' });
  layers.push({ kind: 'linear', name: 'dense', inputs: height * width * channels, outputs: hidden });
  afterwards();
  layers.push({ kind: 'linear', name: 'head', inputs: hidden, outputs: classes });
  return derive({ name: 'random', description: '', input, classes, layers });
}

interface Problem {
  architecture: Architecture;
  activation: Activation;
  seeds: number[];
  images: Float32Array;
  labels: Int32Array;
  order: Int32Array;
  dropout: DropoutMasks | undefined;
}

function randomProblem(architecture: Architecture, models: number, batch: number): Problem {
  const size = architecture.input.reduce((a, b) => a * b, 1);
  const count = 7;
  return {
    architecture,
    activation: activations[random.integer(4)] as Activation,
    seeds: Array.from({ length: models }, () => random.integer(1e6)),
    images: random.normals(count * size),
    labels: Int32Array.from({ length: count }, () => random.integer(architecture.classes)),
    order: Int32Array.from({ length: models * batch }, () => random.integer(count)),
    dropout: random.integer(2)
      ? {
          rates: Array.from({ length: models }, () => random.integer(3) * 0.3),
          seeds: Array.from({ length: models }, () => random.bits()),
          start: random.integer(1000),
        }
      : undefined,
  };
}

/** Losses, counts of right answers, gradients of every parameter, scores; of models `from` to `to`. */
async function compute(device: string, problem: Problem, from = 0, to = problem.seeds.length) {
  await tf.setBackend(device);
  const before = tf.memory().numTensors;
  const { architecture, activation, seeds, images, labels, order } = problem;
  const initial = seeds.slice(from, to).map((seed) => initialWeights(architecture, 'kaiming-normal', seed));
  const weights = new Map(
    architecture.parameters.map(({ name, shape }) => {
      const values = initial.flatMap((model) => [...(model.get(name) as Float32Array)]);
      return [name, tf.tensor(values, [to - from, ...shape], 'float32')] as const;
    }),
  );
  const data = {
    images: tf.tensor4d(images, [labels.length, ...architecture.input]),
    labels: tf.tensor1d(labels, 'int32'),
  };
  const batch = order.length / seeds.length;
  const orders = tf.tensor2d(order.slice(from * batch, to * batch), [to - from, batch], 'int32');
  const dropout = problem.dropout && {
    ...problem.dropout,
    rates: problem.dropout.rates.slice(from, to),
    seeds: problem.dropout.seeds.slice(from, to),
  };
  const network = { architecture, activation };
  const { losses, correct, gradients } = populationGradients(
    network,
    weights,
    new Map(),
    data,
    orders,
    dropout,
  );
  const parameters = architecture.parameters.map(({ name }) => gradients[name] as tf.Tensor);
  const scores = await populationScores(network, weights, new Map(), data);
  const results: Float32Array[] = [];
  for (const tensor of [losses, correct, ...parameters]) {
    results.push((await tensor.data<'float32'>()).slice());
  }
  results.push(scores.losses, scores.accuracies);
  tf.dispose([losses, correct, orders, ...parameters, ...weights.values(), ...Object.values(data)]);
  expect(tf.memory().numTensors).toBe(before);
  return results;
}

const tolerance = 3e-5;

/**
 * A problem of `draw` and its results on cpu. Not one in which a number lies so near to 0 before relu, or two in a window or among the
 * logits so near to one another, that rounding decides between two results: images that differ by some millionths show it.
 */
async function wellPosed(draw: () => Problem): Promise<{ problem: Problem; expected: Float32Array[] }> {
  for (let tries = 0; tries < 5; tries++) {
    const problem = draw();
    const expected = await compute('cpu', problem);
    // Each number by an amount of its own: of what only grows with all of them, two that are nearly equal stay so.
    const noise = random.normals(problem.images.length);
    const nudged = (share: number) =>
      compute('cpu', { ...problem, images: problem.images.map((x, i) => x + share * (noise[i] as number)) });
    try {
      expectAllClose(await nudged(3e-6), expected);
      expectAllClose(await nudged(-3e-6), expected);
      return { problem, expected };
    } catch {
      // Another one.
    }
  }
  throw new Error('no problem was found whose results rounding does not decide');
}

const expectAllClose = (actual: Float32Array[], expected: Float32Array[]) => {
  for (const [i, numbers] of expected.entries()) expectClose(actual[i] as Float32Array, numbers, tolerance);
};

describe(`populations`, () => {
  test('have the losses, right answers, gradients and scores on every device with kernels that they have on cpu', async () => {
    for (let round = 0; round < 4; round++) {
      const { problem, expected } = await wellPosed(() =>
        randomProblem(randomNetwork(), 1 + random.integer(19), 1 + random.integer(4)),
      );
      for (const device of kernelDevices) expectAllClose(await compute(device, problem), expected);
    }
  }, 300_000);

  test.each([cnnSmall, cnnLarge])(
    'of $name, on every device with kernels',
    async (architecture) => {
      const { problem, expected } = await wellPosed(() => randomProblem(architecture, 2, 1));
      for (const device of kernelDevices) expectAllClose(await compute(device, problem), expected);
    },
    300_000,
  );

  testNative('give each model the very numbers that it has alone, with any number of threads', async () => {
    const problem = randomProblem(randomNetwork(), 35, 70);
    const together = await compute('native', problem);
    for (const [m, threads] of [
      [0, 1],
      [16, 3],
      [34, 2],
    ] as const) {
      await startDevice('native', { threads });
      expect(await compute('native', problem)).toEqual(together);
      const alone = await compute('native', problem, m, m + 1);
      for (const [i, numbers] of alone.entries()) {
        const size = numbers.length;
        expect(numbers).toEqual((together[i] as Float32Array).slice(m * size, (m + 1) * size));
      }
    }
  });
});

test('dropout drops the share asked for, and makes up for it', async () => {
  await tf.setBackend('cpu');
  const masks = { rates: [0, 0.3], seeds: [1, 2], start: 5 };
  const ones = tf.ones([20, 1000]);
  expect([...applyDropout(masks, 0, 0, ones).dataSync()].every((value) => value === 1)).toBe(true);
  const dropped = applyDropout(masks, 1, 0, ones).dataSync();
  const zeros = dropped.filter((value) => value === 0).length / dropped.length;
  expect(zeros).toBeCloseTo(0.3, 1);
  expect(dropped.every((value) => value === 0 || Math.abs(value - 1 / 0.7) < 1e-6)).toBe(true);
  // Other layers, images and seeds have other masks.
  const others = [applyDropout(masks, 1, 1, ones), applyDropout({ ...masks, start: 6 }, 1, 0, ones)];
  for (const other of others) expect([...other.dataSync()]).not.toEqual([...dropped]);
});
