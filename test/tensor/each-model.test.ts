/** Layers of many models at once, against the same layers one model after the other on cpu. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { conv2d, conv2dEach, linear, linearEach } from '../../src/tensor/ops.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { evaluate, expectClose, normal, type Values } from './compare.ts';
import { kernelDevices, startTested } from './devices.ts';

const random = new Random(testSeed, 'each model');
const devices = ['cpu', ...kernelDevices];
const size = (low: number, choices: number) => low + random.integer(choices);

beforeAll(async () => {
  await startTested(devices, 2);
});

type Layer = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Of inputs [models, ...]: what `one` gives for each model, put together. */
const oneByOne =
  (one: Layer): Layer =>
  (...inputs) => {
    const models = (inputs[0] as tf.Tensor).shape[0] as number;
    const of = (m: number) => (input: tf.Tensor) => tf.slice(input, m, 1).reshape(input.shape.slice(1));
    return tf.stack(Array.from({ length: models }, (_, m) => one(...inputs.map(of(m)))));
  };

/** `each` on the device has the values and gradients of `one` for each model on cpu. */
async function expectEach(device: string, inputs: Values[], each: Layer, one: Layer): Promise<void> {
  const expected = await evaluate('cpu', inputs, oneByOne(one));
  const actual = await evaluate(device, inputs, each);
  for (const [i, numbers] of expected.entries()) expectClose(actual[i] as Float32Array, numbers);
}

/** x [models, B, ...] as the layers take it, and its result as `oneByOne` has it. */
const together =
  (layer: Layer): Layer =>
  (x, ...rest) => {
    const [models, batch, ...shape] = x.shape as [number, number, ...number[]];
    const y = layer(x.reshape([models * batch, ...shape]), ...rest);
    return y.reshape([models, batch, ...y.shape.slice(1)]);
  };

describe.each(devices)(`on %s`, (device) => {
  test.each([
    [1, 1, 0],
    [5, 1, 0],
    [3, 1, 1],
    [3, 2, 1],
    [1, 2, 0],
    [2, 3, 2],
  ])('convolutions of kernel %i, stride %i, padding %i', async (kernel, stride, padding) => {
    const [models, channels, out] = [size(1, 4), size(1, 4), size(1, 5)];
    const x = normal(random, models, size(1, 3), size(5, 5), size(5, 5), channels);
    const weight = normal(random, models, out, channels, kernel, kernel);
    const options = { stride, padding };
    await expectEach(
      device,
      [x, weight, normal(random, models, out)],
      together((x, w, b) => conv2dEach(x as tf.Tensor4D, w as tf.Tensor5D, b as tf.Tensor2D, options)),
      (x, w, b) => conv2d(x as tf.Tensor4D, w as tf.Tensor4D, b as tf.Tensor1D, options),
    );
    // Of data no gradient is taken, and that of the weight is the same.
    const ofWeight = (inputGradient: boolean) => (w: tf.Tensor) => {
      const data = tf.tensor(x.data, x.shape).reshape<tf.Tensor4D>([-1, ...x.shape.slice(2)]);
      return conv2dEach(data, w as tf.Tensor5D, undefined, { ...options, inputGradient });
    };
    const [all, weightOnly] = [
      await evaluate(device, [weight], ofWeight(true)),
      await evaluate(device, [weight], ofWeight(false)),
    ];
    expect(weightOnly).toEqual(all);
  });

  test('linear layers', async () => {
    const [models, width, out] = [size(1, 5), size(1, 9), size(1, 9)];
    await expectEach(
      device,
      [
        normal(random, models, size(1, 6), width),
        normal(random, models, out, width),
        normal(random, models, out),
      ],
      together((x, w, b) => linearEach(x as tf.Tensor2D, w as tf.Tensor3D, b as tf.Tensor2D)),
      (x, w, b) => linear(x, w as tf.Tensor2D, b as tf.Tensor1D),
    );
  });
});
