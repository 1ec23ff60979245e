import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import type { Activation, Architecture, Layer } from '../../src/nets/architecture.ts';
import { derive } from '../../src/nets/derive.ts';
import { kernelLayers } from '../../src/nets/population-chain.ts';
import { differentiableLogits } from '../../src/nets/population-logits.ts';
import { tf } from '../../src/tensor/tf.ts';
import { expectClose, expectSame } from '../tensor/compare.ts';
import { acceleratedDevices, startTested } from '../tensor/devices.ts';
import { cnnSmall, oracleForward, randomWeights } from './networks.ts';

beforeAll(async () => {
  await startTested(['cpu', ...acceleratedDevices], 2);
});

const network = (last: Layer[], stride = 1): Architecture =>
  derive({
    ...{ name: 'odd', description: '', input: [9, 11, 3], classes: 5 },
    layers: [
      { kind: 'conv2d', name: 'conv', inputs: 3, outputs: 5, kernel: 3, stride },
      ...last,
      { kind: 'flatten' },
      { kind: 'linear', name: 'dense', inputs: stride === 1 ? 60 : 100, outputs: 7 },
      { kind: 'activation' },
      { kind: 'dropout' },
      { kind: 'linear', name: 'head', inputs: 7, outputs: 5 },
    ],
  });

const functions: Partial<Record<Activation, (x: number) => number>> = {
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

/** A network, its activation, how many models of it, and how many images. */
const cases: [string, Architecture, Activation, number, number][] = [
  ['a chain with pooling', network([{ kind: 'max-pool' }, { kind: 'activation' }]), 'tanh', 19, 3],
  ['more images than a task has', network([{ kind: 'max-pool' }, { kind: 'activation' }]), 'sigmoid', 3, 37],
  ['layers without a kernel', network([{ kind: 'activation' }], 2), 'sigmoid', 3, 4],
  ['one model', cnnSmall, 'tanh', 1, 2],
];

function problem(architecture: Architecture, models: number, count: number) {
  const states = Array.from({ length: models }, (_, m) => randomWeights(architecture, 50 + m));
  const weights = architecture.parameters.map(({ name, shape }) => ({
    shape: [models, ...shape],
    data: Float32Array.from(states.flatMap((state) => [...(state.get(name) as Float32Array)])),
  }));
  const images = new Random(7, 'images').normals(count * architecture.input.reduce((a, b) => a * b));
  const logits = (activation: Activation) => (values: tf.Tensor[]) =>
    differentiableLogits(
      { architecture, activation },
      new Map(architecture.parameters.map(({ name }, i) => [name, values[i] as tf.Tensor])),
      tf.tensor4d(images, [count, ...architecture.input]),
    );
  return { states, weights, images, logits };
}

describe.each(cases)('logits of a population, %s', (_, architecture, activation, models, count) => {
  test('have on every device the values and the gradients of the plain operations', async () => {
    const { weights, logits } = problem(architecture, models, count);
    for (const device of acceleratedDevices) {
      await expectSame(device, weights, (...values) => logits(activation)(values));
    }
  });

  test('are those of each model by the definition', async () => {
    const { states, weights, images, logits } = problem(architecture, models, count);
    const size = images.length / count;
    const expected = states.flatMap((state) =>
      Array.from({ length: count }, (_, i) =>
        oracleForward(
          architecture,
          state,
          images.subarray(i * size, (i + 1) * size),
          functions[activation] as (x: number) => number,
        ),
      ).flat(),
    );
    for (const device of ['cpu', ...acceleratedDevices]) {
      await tf.setBackend(device);
      const value = tf.tidy(() =>
        logits(activation)(weights.map(({ data, shape }) => tf.tensor(data, shape))),
      );
      expect(value.shape).toEqual([models, count, architecture.classes]);
      expectClose(await value.data(), expected);
      value.dispose();
    }
  });
});

test('the cases have chains that the kernels compute, and one that they do not', () => {
  const chains = cases.map(([, architecture]) => kernelLayers(architecture, 'tanh', false) !== undefined);
  expect(chains).toEqual([true, true, false, true]);
});
