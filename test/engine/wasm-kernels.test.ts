/** Every kernel of tfjs's wasm back end that we replace, against the cpu back end. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { startDevice } from '../../src/engine/device.ts';
import { Random } from '../../src/engine/random.ts';
import { tf } from '../../src/engine/tf.ts';
import { expectClose, expectSame, freshSeed, normal } from './compare.ts';

beforeAll(() => startDevice('wasm', { threads: 1 }));

const random = new Random(freshSeed, 'wasm kernels');
const odd = (low: number, choices = 4) => low + 2 * random.integer(choices);
const onDevice = (f: () => tf.Tensor): { shape: number[]; data: number[] } => {
  const tensor = tf.tidy(f);
  const result = { shape: tensor.shape, data: [...tensor.dataSync()] };
  tensor.dispose();
  return result;
};

describe(`the wasm device, with the shapes of seed ${freshSeed}, computes as cpu does:`, () => {
  const flags = [false, true];
  const transposes = flags.flatMap((a) => flags.map((b) => [a, b] as const));
  test.each(transposes)('a matrix product, transposed: %p, %p', async (transposeA, transposeB) => {
    // The second sizes are such that transposing the right side and the result is the cheaper way.
    const sizes = [
      [odd(5), odd(3), odd(3)],
      [odd(1), odd(9), odd(65)],
    ] as const;
    for (const [m, k, n] of sizes) {
      for (const batch of [[], [3], [2, 3]]) {
        const a = normal(random, ...batch, ...(transposeA ? [k, m] : [m, k]));
        const b = normal(random, ...batch, ...(transposeB ? [n, k] : [k, n]));
        await expectSame('wasm', [a, b], (a, b) =>
          tf.matMul(a as tf.Tensor, b as tf.Tensor, transposeA, transposeB),
        );
      }
    }
  });

  test.each([
    [
      [2, 1],
      [1, 3],
    ],
    [[3], []],
    [[1], [3]],
  ])('a matrix product, broadcast: %p, %p', async (left, right) => {
    const a = normal(random, ...left, odd(3), 5);
    const b = normal(random, ...right, 5, odd(3));
    const tensors = () => [tf.tensor(a.data, a.shape), tf.tensor(b.data, b.shape)] as const;
    const whole = (x: tf.Tensor) => {
      const batch = tf.backend_util.assertAndGetBroadcastShape([...left], [...right]);
      return tf.broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
    };
    // tfjs's own back ends get some of these wrong, so the batches are made whole for them first.
    await tf.setBackend('cpu');
    const expected = onDevice(() => tf.matMul(...(tensors().map(whole) as [tf.Tensor, tf.Tensor])));
    await tf.setBackend('wasm');
    const actual = onDevice(() => tf.matMul(...tensors()));
    expect(actual.shape).toEqual(expected.shape);
    expectClose(actual.data, expected.data);
  });

  test('matrix products without any number, and refuses unequal sizes and integers', async () => {
    await tf.setBackend('wasm');
    expect(onDevice(() => tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])))).toEqual({
      ...{ shape: [2, 3], data: [0, 0, 0, 0, 0, 0] },
    });
    expect(onDevice(() => tf.matMul(tf.zeros([0, 2]), tf.zeros([2, 3]))).shape).toEqual([0, 3]);
    const integers = () => tf.matMul(tf.zeros([2, 2], 'int32'), tf.zeros([2, 2], 'int32'));
    expect(() => onDevice(integers)).toThrow('takes float32 tensors; cast the others with tf.cast first');
  });

  test('a matrix product with a variable that changes', async () => {
    await tf.setBackend('wasm');
    const weight = tf.variable(tf.ones([3, 3]));
    const product = () => onDevice(() => tf.matMul(tf.ones([1, 3]), weight as tf.Tensor2D)).data;
    expect(product()).toEqual([3, 3, 3]);
    tf.tidy(() => weight.assign(tf.zeros([3, 3])));
    expect(product()).toEqual([0, 0, 0]);
    weight.dispose();
  });

  test.each([[[0]], [[0, 1]], [[1]], [[0, 2]], [[0, 1, 2]]])('a sum over axes %p', async (axes) => {
    const x = normal(random, odd(5), odd(3), odd(3));
    await expectSame('wasm', [x], (x) => tf.sum(x as tf.Tensor, axes));
    await expectSame('wasm', [x], (x) => tf.sum(x as tf.Tensor, axes, true));
  });

  test('a sum of integers', async () => {
    await tf.setBackend('wasm');
    const sum = onDevice(() =>
      tf.sum(
        tf.tensor2d(
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          [3, 2],
          'int32',
        ),
        0,
      ),
    );
    expect(sum).toEqual({ shape: [2], data: [9, 12] });
  });

  test('the gradient of a gather, by any axis', async () => {
    const x = normal(random, odd(3), odd(5), odd(3));
    const ids = () => tf.tensor1d([2, 0, 2, 1], 'int32');
    for (const axis of [0, 1, 2])
      await expectSame('wasm', [x], (x) => tf.gather(x as tf.Tensor3D, ids(), axis));
  });

  test('sums by segment, without rows of ids that are none', async () => {
    await tf.setBackend('wasm');
    const x = () =>
      tf.tensor2d([
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ]);
    const sums = onDevice(() => tf.unsortedSegmentSum(x(), tf.tensor1d([1, -1, 1, 2], 'int32'), 2));
    expect(sums).toEqual({ shape: [2, 2], data: [0, 0, 6, 8] });
  });

  test.each([
    ['valid', 1],
    ['same', 1],
    [1, 1],
  ] as const)('gradients of a convolution, padding %p', async (pad, stride) => {
    const [kernel, channels] = [odd(1, 3), odd(1, 2)];
    const inputs = [
      normal(random, odd(1), odd(7), odd(7), channels),
      normal(random, kernel, kernel, channels, odd(1)),
    ];
    const rounding = typeof pad === 'number' ? 'floor' : undefined;
    await expectSame('wasm', inputs, (x, w) =>
      tf.conv2d<tf.Tensor4D>(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad, 'NHWC', 1, rounding),
    );
  });

  test('no filter gradient of a convolution with stride 2, but says so', async () => {
    await tf.setBackend('wasm');
    const gradient = () =>
      tf.grad((w) => tf.conv2d<tf.Tensor4D>(tf.ones([1, 5, 5, 1]), w as tf.Tensor4D, 2, 'valid'))(
        tf.ones([3, 3, 1, 1]),
      );
    expect(() => onDevice(gradient)).toThrow('stride above 1 is not there on the wasm device; use cpu');
  });

  test('tanh', async () => {
    const data = random.normals(301).map((value) => 4 * value);
    await expectSame('wasm', [{ shape: [7, 43], data }], (x) => tf.tanh(x as tf.Tensor));
    const special = [Number.NaN, -1e30, -9, 0, 1e-6, 9, 1e30];
    expectClose(
      onDevice(() => tf.tanh(tf.tensor1d(special))).data,
      special.map((x) => Math.fround(Math.tanh(x))),
      1e-7,
    );
    expect(onDevice(() => tf.tanh(tf.tensor1d([1e-6]))).data[0]).toBeCloseTo(1e-6, 12);
  });

  test('a clone outlives its original', async () => {
    await tf.setBackend('wasm');
    const original = tf.tensor1d([1, 2, 3]);
    const clone = tf.clone(original);
    original.dispose();
    const other = tf.ones([3]);
    expect([...clone.dataSync()]).toEqual([1, 2, 3]);
    tf.dispose([clone, other]);
  });
});
