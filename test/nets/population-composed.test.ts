/** Many models at once, by plain operations, have the losses, gradients and statistics that each has alone on cpu. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { Layer } from '../../src/nets/architecture.ts';
import { derive } from '../../src/nets/derive.ts';
import { composedGradients } from '../../src/nets/population-composed.ts';
import { modelsAtOnce } from '../../src/nets/population-models.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { expectClose } from '../tensor/compare.ts';
import { startTested, testedDevices } from '../tensor/devices.ts';
import { randomWeights } from './networks.ts';

const random = new Random(testSeed, 'population-composed');
const conv = (name: string, inputs: number, outputs: number, kernel: number, stride = 1): Layer => ({
  ...{ kind: 'conv2d', name, inputs, outputs, kernel, stride },
  padding: kernel >> 1,
  // Before a normalisation a bias has no effect: its gradient would be rounding.
  bias: name === 'c',
});
const norm = (name: string, channels: number): Layer => ({ kind: 'batch-norm', name, channels });

/** A network with every kind of layer, for images of odd sizes. */
const network = derive({
  name: 'every-layer',
  description: '',
  input: [11, 13, 2],
  classes: 3,
  layers: [
    ...[conv('stem', 2, 4, 3), norm('norm0', 4), { kind: 'activation' } as const],
    {
      kind: 'residual',
      branch: [conv('a1', 4, 3, 3, 2), norm('norm1', 3), { kind: 'activation' }, conv('a2', 3, 5, 1)],
      shortcut: [conv('s', 4, 5, 1, 2), norm('norm2', 5)],
    },
    ...[{ kind: 'activation' } as const, { kind: 'dropout' } as const],
    { kind: 'concatenate', branches: [[], [norm('norm3', 5), conv('c', 5, 2, 3)]] },
    ...[{ kind: 'max-pool' } as const, { kind: 'average-pool', kernel: 1 } as const],
    ...[{ kind: 'flatten' } as const, { kind: 'linear', name: 'l1', inputs: 63, outputs: 6 } as const],
    ...[{ kind: 'activation' } as const, { kind: 'dropout' } as const],
    { kind: 'linear', name: 'l2', inputs: 6, outputs: 3 },
  ],
});

const [models, batch, count] = [5, 3, 7];
const states = Array.from({ length: models }, (_, m) => randomWeights(network, testSeed + m));
const pixels = random.normals(count * network.input.reduce((a, b) => a * b));
const classes = Int32Array.from({ length: count }, () => random.integer(network.classes));
const places = Int32Array.from({ length: models * batch }, () => random.integer(count));
const dropout = {
  rates: states.map((_, m) => 0.2 * (m % 3)),
  seeds: states.map(() => random.bits()),
  start: 17,
};

/** By name: the losses, the counts of right answers, each parameter's gradient, and the statistics that the step leaves. */
async function compute(device: string, atOnce: number): Promise<Map<string, Float32Array>> {
  await tf.setBackend(device);
  const before = tf.memory().numTensors;
  const stacked = new Map(
    network.state.map(({ name, shape }) => {
      const values = states.flatMap((state) => [...state.get(name)!]);
      return [name, tf.tidy(() => tf.variable(tf.tensor(values, [models, ...shape])))] as const;
    }),
  );
  const buffers = new Map(network.buffers.map(({ name }) => [name, stacked.get(name)!] as const));
  const data = {
    images: tf.tensor4d(pixels, [count, ...network.input]),
    labels: tf.tensor1d(classes, 'int32'),
  };
  const order = tf.tensor2d(places, [models, batch], 'int32');
  const net = { architecture: network, activation: 'tanh' } as const;
  const results = composedGradients(net, stacked, buffers, data, order, dropout, atOnce);
  const named = new Map<string, tf.Tensor>([
    ...['losses', 'correct', ...network.parameters.map(({ name }) => name)].map(
      (name, i) => [name, results[i]!] as const,
    ),
    ...buffers,
  ]);
  const numbers = new Map<string, Float32Array>();
  for (const [name, tensor] of named) numbers.set(name, (await tensor.data<'float32'>()).slice());
  tf.dispose([results, data.images, data.labels, order, ...stacked.values()]);
  expect(tf.memory().numTensors).toBe(before);
  return numbers;
}

describe(`populations of plain operations`, () => {
  let alone: Map<string, Float32Array>;
  beforeAll(async () => {
    await startTested(testedDevices, 2);
    alone = await compute('cpu', 1);
  });

  test.each(testedDevices)('on %s have what each model has alone', async (device) => {
    // Parts of 3 and 2 models, and all at once.
    for (const atOnce of device === 'webgpu' ? [3] : [3, 8]) {
      for (const [name, numbers] of await compute(device, atOnce)) {
        const expected = alone.get(name)!;
        const scale = expected.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
        const scaled = (x: number) => x / scale;
        expectClose(numbers.map(scaled), expected.map(scaled), 1e-4);
      }
    }
  });

  test.each(testedDevices)(
    'on %s are computed at once where calls are slow and models small',
    async (device) => {
      await tf.setBackend(device);
      const net = { architecture: network, activation: 'tanh' } as const;
      expect(modelsAtOnce(net, batch) > 1).toBe(device === 'tensorflow' || device === 'webgpu');
      expect(modelsAtOnce(net, 1e5)).toBe(1);
    },
  );

  test('differ between models, in all that they have of their own', () => {
    for (const [name, numbers] of alone) {
      // Of a few images, two models may well get as many right.
      if (name === 'correct') continue;
      const size = numbers.length / models;
      expect({ name, first: [...numbers.slice(0, size)] }).not.toEqual({
        name,
        first: [...numbers.slice(size, 2 * size)],
      });
    }
  });
});
