import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import * as ops from '../../src/tensor/ops.ts';
import { tf } from '../../src/tensor/tf.ts';
import { memoize } from '../memoize.ts';
import { evaluate, expectClose, expectSame, normal } from './compare.ts';
import { startTested, testedDevices } from './devices.ts';
import * as naive from './naive-ops.ts';
import { caseNames, makeCase, streamOf } from './op-cases.ts';

const { random, odd } = streamOf('values and gradients');
const many = odd(3);

/** The plain formula's value and gradients on cpu, computed once for all devices. */
const oracle = memoize((name: string, batch: number) => {
  const { inputs, apply } = makeCase(name, batch);
  return evaluate('cpu', inputs, (...xs) => apply(naive, ...xs));
});

// A software adapter compiles some of the shaders of a case for a second or more, and several times as long on a busy machine.
setDefaultTimeout(300_000);

beforeAll(async () => {
  await startTested(testedDevices, 1);
});

describe.each(testedDevices)(`on %s, the formula's value and gradients`, (backend) => {
  test.each(caseNames)('%s', async (name) => {
    for (const batch of [1, many]) {
      const { inputs, apply } = makeCase(name, batch);
      const expected = await oracle(name, batch);
      const actual = await evaluate(backend, inputs, (...xs) => apply(ops, ...xs));
      for (const [i, numbers] of actual.entries()) expectClose(numbers, expected[i] as Float32Array);
      expect(actual).toHaveLength(expected.length);
    }
  });

  test('linear takes no tensor of another width', async () => {
    await tf.setBackend(backend);
    const [x, w] = [tf.zeros([2, 3, 4]), tf.zeros<tf.Rank.R2>([5, 6])];
    expect(() => ops.linear(x, w)).toThrow('A weight of [5, 6] takes no tensor of [2, 3, 4].');
    tf.dispose([x, w]);
  });

  test('gelu far out, and of what is no number', async () => {
    await tf.setBackend(backend);
    const x = tf.tensor1d([-1e30, -7, -5.99, 0, 5.99, 7, 1e30, Number.NaN]);
    const y = ops.gelu(x);
    const dx = tf.grad(ops.gelu)(x);
    expectClose(
      await y.data(),
      [0, 0, -5.99 * 1.049e-9, 0, 5.99, 7, 1e30, Number.NaN].map(Math.fround),
      1e-7,
    );
    expectClose((await dx.data()).slice(1, -2), [0, 0, 0.5, 1, 1], 1e-7);
    expect((await dx.data()).at(-1)).toBeNaN();
    tf.dispose([x, y, dx]);
  });

  test('maxPool gives the gradient to the first of equals', async () => {
    await tf.setBackend(backend);
    const gradient = tf.tidy(() => tf.grad((x) => ops.maxPool(x as tf.Tensor4D))(tf.ones([1, 3, 2, 1])));
    expect([...(await gradient.data())]).toEqual([1, 0, 0, 0, 0, 0]);
    gradient.dispose();
  });

  test('a sum of more tensors than a shader may bind', async () => {
    await tf.setBackend(backend);
    const before = tf.backend().numDataIds();
    const sum = tf.tidy(() => tf.addN(Array.from({ length: 100 }, (_, i) => tf.tensor1d([i, 1]))));
    expect([...(await sum.data())]).toEqual([4950, 100]);
    sum.dispose();
    expect(tf.backend().numDataIds()).toBe(before);
  });

  test.each([
    [[70_001], [0]],
    [[300, 5, 41], [0]],
    [
      [300, 5, 41],
      [0, 1],
    ],
    [
      [7, 5, 41],
      [2, 0, 1],
    ],
    [[7, 5, 41], [1]],
    [[9], []],
  ])('the sum of %j over the axes %j', async (shape, axes) => {
    for (const keepDims of [false, true]) {
      await expectSame(backend, [normal(random, ...shape)], (x) => {
        const sum = tf.sum(x, axes, keepDims);
        return tf.mul(sum.reshape(sum.shape), 1 / Math.sqrt(x.size / sum.size));
      });
    }
  });

  test('a transformer block of golden weights, after attention and as a whole', async () => {
    await tf.setBackend(backend);
    const [afterAttention, output] = tf.tidy(block);
    expectClose(await afterAttention.data(), goldenAfterAttention, 1e-6);
    expectClose(await output.data(), goldenOutput, 1e-6);
    tf.dispose([afterAttention, output]);
  });
});

/** A pre-norm block of width 4 with 2 heads over 3 tokens; every weight by a formula. */
function block(): [tf.Tensor, tf.Tensor] {
  const fill = (shape: number[], value: (i: number) => number) =>
    tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => value(i)),
      shape,
    );
  const weight = (out: number, width: number, phase: number) =>
    fill([out, width], (i) => 0.3 * Math.sin(0.7 * i + phase)) as tf.Tensor2D;
  const x = fill([1, 3, 4], (i) => Math.sin(0.5 * i + 0.1));
  const gain1 = fill([4], (i) => 1 + 0.1 * i) as tf.Tensor1D;
  const attended = ops.attention(ops.linear(ops.layerNorm(x, gain1), weight(12, 4, 0)) as tf.Tensor3D, 2);
  const h = tf.add(x, ops.linear(attended, weight(4, 4, 1)));
  const weights = {
    ...{ norm1: gain1, qkv: weight(12, 4, 0), projection: weight(4, 4, 1) },
    norm2: fill([4], (i) => 1 - 0.05 * i) as tf.Tensor1D,
    ...{ fc: weight(16, 4, 2), mlp: weight(4, 16, 3) },
  };
  return [h, ops.transformerBlock(x as tf.Tensor3D, weights, 2)];
}

/** Computed from the formulas with numpy in double precision. */
const goldenAfterAttention = [
  0.10983828, 0.53671089, 0.93383802, 0.94717007, 0.85162259, 0.53751227, 0.01168912, -0.40820238,
  -0.82212949, -1.00148958, -0.90726632, -0.65842143,
];
const goldenOutput = [
  0.11772959, 0.6716589, 0.98073691, 0.83126347, 0.79366899, 0.81106189, 0.18070652, -0.61312929, -0.9164871,
  -0.99876597, -0.8118029, -0.62238596,
];

test('conv2d of data takes no gradient of it, and that of its weight is the same', async () => {
  await tf.setBackend('wasm');
  const x = tf.tensor4d(random.normals(2 * 7 * 5), [2, 7, 5, 1]);
  const w = tf.tensor4d(random.normals(3 * 9), [3, 1, 3, 3]);
  const [all, weightOnly] = [{ inputGradient: true }, { inputGradient: false }].map((options) =>
    tf.grad((w) => ops.conv2d(x, w as tf.Tensor4D, undefined, options))(w),
  ) as [tf.Tensor, tf.Tensor];
  expectClose(weightOnly.dataSync(), all.dataSync());
  tf.dispose([x, w, all, weightOnly]);
});
