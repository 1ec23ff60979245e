/** Batch normalisation against its formula in float64, its gradients against tfjs's own on cpu. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { type BatchNormOptions, batchNorm } from '../../src/tensor/ops.ts';
import { tf } from '../../src/tensor/tf.ts';
import { expectClose, expectSame, normal, type Values } from './compare.ts';
import { startTested, testedDevices } from './devices.ts';
import { streamOf } from './op-cases.ts';

const { random, odd } = streamOf('batch normalisation');

beforeAll(async () => {
  await startTested(testedDevices, 2);
});

const shapes: [number, number, number, number][] = [
  [1, odd(3), odd(3), odd(1, 20)],
  [odd(3), odd(3), odd(5), 16],
  [3, odd(9, 2), odd(9, 2), odd(65, 4)], // several tasks of the native kernel
];

/** Numbers of both signs, of size `least` and more: where relu has its kink, rounding would decide about a gradient. */
function awayFromZero(shape: number[], least: number): Values {
  const data = normal(random, ...shape).data.map((value) => value + Math.sign(value) * least);
  return { shape, data };
}

/** Running statistics of so many channels, and their numbers. */
function runningOf(channels: number) {
  const data = Float32Array.from({ length: channels }, (_, i) => 1 + Math.sin(i) / 2);
  const variable = () => tf.tidy(() => tf.variable(tf.tensor1d(data), false));
  return { data, mean: variable(), variance: variable() };
}

describe.each(testedDevices)(`on %s, batch normalisation`, (backend) => {
  test.each(shapes.map((shape) => ({ shape })))(
    'has the gradients of its formula, $shape',
    async ({ shape }) => {
      const channels = shape[3];
      const near = (centre: number) => ({
        shape: [channels],
        data: random.normals(channels).map((value) => centre + value / 10),
      });
      const inputs = [awayFromZero(shape, 1), near(1), near(0)];
      const residual = awayFromZero(shape, 10);
      for (const [relu, given] of [
        [false, inputs],
        [true, inputs],
        [true, [...inputs, residual]],
        [false, [...inputs, residual]],
      ] as const) {
        const apply =
          (f: (x: tf.Tensor4D, gain: tf.Tensor1D, bias: tf.Tensor1D, residual?: tf.Tensor4D) => tf.Tensor) =>
          (...[x, gain, bias, residual]: tf.Tensor[]) =>
            f(
              x as tf.Tensor4D,
              gain as tf.Tensor1D,
              bias as tf.Tensor1D,
              residual as tf.Tensor4D | undefined,
            );
        const ours = apply((x, gain, bias, residual) => {
          const running = runningOf(channels);
          const y = batchNorm(x, gain, bias, running, { training: true, relu, residual });
          tf.dispose([running.mean, running.variance]);
          return y;
        });
        const oracle = apply((x, gain, bias, residual) => {
          const { mean, variance } = tf.moments(x, [0, 1, 2]);
          const unit = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)));
          const y = tf.add(tf.mul(unit, gain), bias);
          const sum = residual ? tf.add(y, residual) : y;
          return relu ? tf.relu(sum) : sum;
        });
        await expectSame(backend, [...given], ours, oracle);
      }
    },
  );

  test('follows the formula, with its running statistics, in training and evaluation', async () => {
    await tf.setBackend(backend);
    const shape = [odd(3), odd(3), odd(3), odd(1)] as [number, number, number, number];
    const channels = shape[3];
    // Away from zero, where a variance from the sum of squares would be less exact.
    const x = normal(random, ...shape).data.map((value) => 0.5 * value + 10);
    const [gain, bias] = [normal(random, channels), normal(random, channels)];
    const { data, ...running } = runningOf(channels);
    const compute = async (options: BatchNormOptions) => {
      const y = tf.tidy(() => {
        const [input, g, b] = [tf.tensor4d(x, shape), tf.tensor1d(gain.data), tf.tensor1d(bias.data)];
        return batchNorm(input, g, b, running, options);
      });
      const numbers = (await y.data()).slice();
      y.dispose();
      return numbers;
    };
    const results = [await compute({ training: true }), await compute({ training: false })];
    const count = x.length / channels;
    const expected = [new Float32Array(x.length), new Float32Array(x.length)] as const;
    const [means, variances] = [new Float32Array(channels), new Float32Array(channels)];
    for (let c = 0; c < channels; c++) {
      const column = Array.from({ length: count }, (_, i) => x[i * channels + c] as number);
      const mean = column.reduce((a, b) => a + b) / count;
      const squares = column.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      const before = data[c] as number;
      means[c] = 0.9 * before + 0.1 * mean;
      variances[c] = 0.9 * before + (0.1 * squares) / (count - 1);
      const statistics = [
        [mean, squares / count],
        [means[c] as number, variances[c] as number],
      ] as const;
      for (const [i, [centre, variance]] of statistics.entries())
        column.forEach((value, row) => {
          const unit = (value - centre) / Math.sqrt(variance + 1e-5);
          (expected[i] as Float32Array)[row * channels + c] =
            unit * (gain.data[c] as number) + (bias.data[c] as number);
        });
    }
    expectClose(results[0] as Float32Array, expected[0], 5e-5);
    expectClose(results[1] as Float32Array, expected[1], 5e-5);
    expectClose(await running.mean.data(), means, 1e-6);
    expectClose(await running.variance.data(), variances, 1e-5);
    tf.dispose([running.mean, running.variance]);
  });

  test('in training refuses a single number per channel', async () => {
    await tf.setBackend(backend);
    const running = runningOf(3);
    const one = () =>
      batchNorm(tf.ones([1, 1, 1, 3]), tf.ones<tf.Rank.R1>([3]), tf.ones<tf.Rank.R1>([3]), running, {
        training: true,
      });
    expect(() => tf.tidy(one)).toThrow('takes more than one number per channel');
    tf.dispose([running.mean, running.variance]);
  });
});
