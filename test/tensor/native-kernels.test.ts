/**
 * Every kernel in C, compiled for the CPU and to WebAssembly, against tfjs's cpu back end, on fresh random shapes; and where
 * TensorFlow is there, the kernels that it has for the same operations.
 */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { expectClose, expectSame, normal } from './compare.ts';
import { kernelDevices, startTested } from './devices.ts';

beforeAll(async () => {
  await startTested(kernelDevices, 2);
});

const random = new Random(testSeed, 'native kernels');
const odd = (low: number, choices = 4) => low + 2 * random.integer(choices);

/** What `f` gives on a back end, any type of numbers. */
async function valueOn(backend: string, f: () => tf.Tensor) {
  await tf.setBackend(backend);
  const before = tf.memory().numTensors;
  const tensor = tf.tidy(f);
  const result = { shape: tensor.shape, dtype: tensor.dtype, data: [...tensor.dataSync()] };
  tensor.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return result;
}

describe.each(kernelDevices)(`%s, computes as cpu does:`, (device) => {
  const isTensorflow = device === 'tensorflow';
  /** `f` has the same value on both, to float32 accuracy. */
  async function sameValue(f: () => tf.Tensor, tolerance = 2e-5): Promise<void> {
    const expected = await valueOn('cpu', f);
    const actual = await valueOn(device, f);
    expect([actual.shape, actual.dtype]).toEqual([expected.shape, expected.dtype]);
    expectClose(actual.data, expected.data, tolerance);
  }

  const flags = [false, true];
  const transposes = flags.flatMap((a) => flags.map((b) => [a, b] as const));
  test.each(transposes)('a matrix product, transposed: %p, %p', async (transposeA, transposeB) => {
    const sizes: [number, number, number, number[]][] = [
      [odd(5), odd(3), odd(3), []],
      [odd(1), odd(9), odd(65), [2, 3]],
      [odd(13), odd(5), odd(15), [17]],
      [odd(101), odd(257), odd(33), []], // several blocks
      [odd(5), odd(1501), odd(17), []], // the sum in parts
    ];
    for (const [m, k, n, batch] of sizes) {
      const scale = 1 / Math.sqrt(k);
      const a = normal(random, ...batch, ...(transposeA ? [k, m] : [m, k]));
      const b = normal(random, ...batch, ...(transposeB ? [n, k] : [k, n]));
      await expectSame(device, [a, b], (a, b) =>
        tf.mul(tf.matMul(a as tf.Tensor, b as tf.Tensor, transposeA, transposeB), scale),
      );
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
    const batch = tf.backend_util.assertAndGetBroadcastShape([...left], [...right]);
    const whole = (x: tf.Tensor) => tf.broadcastTo(x, [...batch, ...x.shape.slice(-2)]);
    const tensors = () => [tf.tensor(a.data, a.shape), tf.tensor(b.data, b.shape)] as const;
    // cpu gets some of these wrong, so the batches are made whole for it first.
    const expected = await valueOn('cpu', () => {
      const [x, y] = tensors();
      return tf.matMul(whole(x), whole(y));
    });
    const actual = await valueOn(device, () => tf.matMul(...tensors()));
    expect(actual.shape).toEqual(expected.shape);
    expectClose(actual.data, expected.data);
  });

  test('matrix products without any number, and refuses unequal sizes', async () => {
    await sameValue(() => tf.matMul(tf.zeros([0, 2]), tf.zeros([2, 3])));
    const { data } = await valueOn(device, () => tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])));
    expect(data).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test.each(['linear', 'relu', 'sigmoid', 'leakyrelu', 'elu'] as const)(
    'a fused product, %s',
    async (activation) => {
      const [m, k, n] = [odd(3), odd(3), odd(3)];
      const [a, b, bias] = [normal(random, m, k), normal(random, k, n), normal(random, n)];
      for (const size of [n, 1]) {
        await sameValue(() =>
          tf.fused.matMul({
            a: tf.tensor2d(a.data, [m, k]),
            b: tf.tensor2d(b.data, [k, n]),
            bias: tf.tensor1d(bias.data.slice(0, size)),
            activation,
            leakyreluAlpha: 0.3,
          }),
        );
      }
    },
  );

  const unary: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    ...{
      abs: tf.abs,
      erf: tf.erf,
      exp: tf.exp,
      leakyRelu: (x: tf.Tensor) => tf.leakyRelu(x, 0.3),
      neg: tf.neg,
    },
    ...{ relu: tf.relu, sigmoid: tf.sigmoid, square: tf.square, step: tf.step, tanh: tf.tanh },
    ...{ elu: tf.elu, softplus: tf.softplus }, // through cpu's kernels
  };
  const positive: typeof unary = { log: tf.log, reciprocal: tf.reciprocal, rsqrt: tf.rsqrt, sqrt: tf.sqrt };
  test.each(Object.entries(unary))('%s, and its gradient', async (_, f) => {
    const size = odd(3, 30);
    await expectSame(device, [{ shape: [size], data: random.normals(size).map((x) => 4 * x) }], (x) =>
      f(x as tf.Tensor),
    );
  });
  test.each(Object.entries(positive))('%s, and its gradient', async (_, f) => {
    const size = odd(3, 30);
    const data = random.normals(size).map((x) => Math.exp(2 * x));
    await expectSame(device, [{ shape: [size], data }], (x) => f(x as tf.Tensor));
  });

  test('functions of special numbers', async () => {
    const special = [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      0,
      1e-30,
      -1e30,
      1e30,
      88.5,
      -103,
    ];
    for (const f of [...Object.values(unary).slice(0, 10), ...Object.values(positive)]) {
      await sameValue(() => f(tf.tensor1d(special)), 1e-6);
    }
  });

  const exact: [
    name: string,
    f: (x: number) => number,
    ours: (x: tf.Tensor) => tf.Tensor,
    lowest: number,
    highest: number,
  ][] = [
    ['exp', Math.exp, tf.exp, -87, 88],
    ['log', Math.log, tf.log, 1e-20, 4],
    ['tanh', Math.tanh, tf.tanh, -12, 12],
    ['tanh near 0', Math.tanh, tf.tanh, -0.1, 0.1],
    ['sigmoid', (x) => 1 / (1 + Math.exp(-x)), tf.sigmoid, -80, 80],
  ];
  test.each(exact)('%s is within few units in the last place', async (_, f, ours, low, high) => {
    const x = Float32Array.from({ length: 20_001 }, () => random.uniform(low, high));
    const { data } = await valueOn(device, () => ours(tf.tensor1d(x)));
    const unit = (y: number) => 2 ** (Math.floor(Math.log2(Math.abs(y) || 1e-37)) - 23);
    let worst = 0;
    x.forEach((number, i) => {
      const expected = f(number);
      worst = Math.max(worst, Math.abs((data[i] as number) - expected) / Math.max(unit(expected), 2 ** -149));
    });
    expect(worst).toBeLessThan(isTensorflow ? 8 : 4);
  });

  const binary: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
    ...{
      add: tf.add,
      sub: tf.sub,
      mul: tf.mul,
      div: (a, b) => tf.div(a, tf.add(tf.abs(b), 0.5)),
      maximum: tf.maximum,
      minimum: tf.minimum,
    },
    squaredDifference: tf.squaredDifference,
  };
  const hasGradient = new Set(['add', 'sub', 'mul', 'div']);
  const [n, m] = [odd(3), odd(3, 20)];
  const pairs: [number[], number[]][] = [
    [
      [n, m],
      [n, m],
    ],
    [[n, m], [m]],
    [[n, 1], [m]],
    [
      [3, n, m],
      [n, 1],
    ],
    [
      [3, 1, m],
      [1, n, 1],
    ],
    [[], [n, m]],
    [[1], []],
    [
      [2, 1, n, 1, m],
      [n, 5, 1],
    ],
  ];
  test.each(Object.entries(binary))('%s and its gradients, broadcast', async (name, f) => {
    for (const [a, b] of pairs) {
      // tfjs has wrong gradients of some that are broadcast.
      const [x, y] = [normal(random, ...a), normal(random, ...b)];
      await sameValue(() => f(tf.tensor(x.data, x.shape), tf.tensor(y.data, y.shape)));
      if (!hasGradient.has(name) && `${a}` !== `${b}`) continue;
      await expectSame(device, [normal(random, ...a), normal(random, ...b)], (a, b) =>
        f(a as tf.Tensor, b as tf.Tensor),
      );
    }
    await sameValue(() => f(tf.zeros([0, 3]), tf.ones([3])));
    const long = normal(random, 40_001);
    await sameValue(() => f(tf.tensor(long.data), tf.scalar(0.7)));
  });

  test.each([tf.greater, tf.greaterEqual, tf.less, tf.lessEqual, tf.equal, tf.notEqual])(
    'a comparison %#, of floats and of integers',
    async (f) => {
      const data = Float32Array.from({ length: 15 }, () => random.integer(3));
      for (const dtype of ['float32', 'int32'] as const) {
        await sameValue(() => f(tf.tensor(data, [5, 3], dtype), tf.tensor(data.slice(3, 6), [3], dtype)));
      }
    },
  );

  test('casts, where, fills', async () => {
    const x = normal(random, odd(3), odd(3));
    const mask = () => tf.greater(tf.tensor(x.data, x.shape), 0);
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      await sameValue(() => tf.tensor(x.data, x.shape).cast(dtype));
      await sameValue(() => mask().cast(dtype));
      await sameValue(() => tf.tensor(x.data, x.shape).cast('int32').cast(dtype));
      // For TensorFlow a truth value is 0 or 1, for tfjs any number.
      await sameValue(() => tf.fill([2, 3], isTensorflow ? 1 : 2, dtype));
      await sameValue(() => tf.onesLike(tf.fill([2, 3], 2, dtype)));
    }
    const negative = () => tf.neg(tf.tensor(x.data, x.shape));
    await sameValue(() => tf.where(mask(), tf.tensor(x.data, x.shape), negative()));
    await sameValue(() => tf.where(tf.greater(tf.ones([3]), 0), tf.zeros([2, 3]), tf.ones([2, 3])));
  });

  /**
   * What rounding may leave of a sum of n numbers of about this size. The oracle adds one after the other: n roundings of partial sums of
   * some sqrt(n) times the size, by up to 2^-24 of it, which add up as a random walk does, to n 2^-24 of the size. Four times this is not
   * reached by chance.
   */
  const rounding = (n: number, size: number) => Math.max(2e-5, 4 * n * size * 2 ** -24);

  test.each(['sum', 'mean', 'max'] as const)('%s over any axes', async (name) => {
    const shape = [odd(3), 1, odd(3), odd(3, 20)];
    const x = normal(random, ...shape);
    for (const axis of [undefined, 0, 1, 2, -1, [0, 2], [0, 3], [2, 3], [0, 1], [1, 3]]) {
      for (const keepDims of flags) {
        const f = () => tf[name](tf.tensor(x.data, shape), axis, keepDims);
        await sameValue(f, rounding(x.data.length, 1));
      }
    }
    // Small ones: what rounding leaves of a sum grows with the numbers that go into it, not with the sum.
    const long = { data: random.normals(70_001).map((value) => value / 100) };
    await sameValue(() => tf[name](tf.tensor(long.data)), rounding(70_001, 0.01));
    await sameValue(
      () => tf[name](tf.tensor(long.data.slice(0, 70_000), [10_000, 7]), 0),
      rounding(10_000, 0.01),
    );
    await sameValue(() => tf[name](tf.tensor(long.data.slice(0, 70_000), [7, 10_000]), 0), rounding(7, 0.01));
    if (name === 'sum') await sameValue(() => tf.sum(tf.zeros([3, 0]), 1));
    await sameValue(() => tf[name](tf.tensor1d([1, Number.NaN, 2])));
  });

  test('softmax and its gradient', async () => {
    const x = { shape: [odd(3), odd(3), odd(3, 20)], data: new Float32Array() };
    x.data = random.normals(tf.util.sizeFromShape(x.shape)).map((value) => 5 * value);
    await expectSame(device, [x], (x) => tf.softmax(x as tf.Tensor));
    await expectSame(device, [x], (x) => tf.logSoftmax(x as tf.Tensor));
    await expectSame(device, [x], (x) => tf.logSumExp(x as tf.Tensor, 1));
    await sameValue(() =>
      tf.softmax(
        tf.tensor2d([
          [1000, 999, -1e30],
          [Number.NaN, 0, 1],
        ]),
      ),
    );
  });

  const movements: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    'transpose to channels first': (x) => tf.transpose(x, [0, 3, 1, 2]),
    'transpose two middle axes': (x) => tf.transpose(x, [0, 2, 1, 3]),
    'transpose all': (x) => tf.transpose(x),
    slice: (x) => tf.slice(x, [1, 0, 2, 0], [2, -1, 1, 3]),
    'slice of rows': (x) => tf.slice(x, [1], [2]),
    split: (x) => (tf.split(x, [1, x.shape[1]! - 1], 1) as [tf.Tensor, tf.Tensor])[1],
    unstack: (x) => tf.unstack(x, 2)[1] as tf.Tensor,
    stack: (x) => tf.stack([x, tf.neg(x)], 1),
    concat: (x) => tf.concat([x, tf.square(x), x], 2),
    'concat of rows': (x) => tf.concat([x, tf.square(x)], 0),
    pad: (x) =>
      tf.pad(
        x,
        [
          [1, 0],
          [0, 2],
          [1, 1],
          [0, 3],
        ],
        0.5,
      ),
    tile: (x) => tf.tile(x, [2, 1, 3, 2]),
    reverse: (x) => tf.reverse(x, [1, 3]),
    gather: (x) =>
      tf.gather(
        x,
        tf.tensor2d(
          [
            [0, 2],
            [2, 1],
          ],
          [2, 2],
          'int32',
        ),
      ),
    'gather along another axis': (x) => tf.gather(x, tf.tensor1d([0, 2, 2], 'int32'), 1),
  };
  test.each(Object.entries(movements))('%s, and its gradient', async (_, f) => {
    const x = normal(random, odd(3), odd(3), odd(3), odd(3, 20));
    await expectSame(device, [x], (x) => f(x as tf.Tensor));
  });

  test('movements of integers, of truth values and of nothing', async () => {
    const x = () => tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3], 'int32');
    for (const make of [x, () => tf.greater(x(), 3), () => tf.zeros([2, 0])]) {
      await sameValue(() => tf.transpose(make()));
      await sameValue(() => tf.concat([make(), make()], 1));
      await sameValue(() => tf.tile(make(), [2, 2]));
    }
  });

  test('segment sums, ids out of range left out; a gather out of range is refused', async () => {
    const rows = odd(7);
    const x = normal(random, rows, odd(3), odd(3));
    const ids = Int32Array.from({ length: rows }, () => random.integer(5) - 1);
    await sameValue(() => tf.unsortedSegmentSum(tf.tensor(x.data, x.shape), tf.tensor1d(ids, 'int32'), 4));
    await tf.setBackend(device);
    expect(() => tf.tidy(() => tf.gather(tf.zeros([3, 2]), tf.tensor1d([0, 3], 'int32')))).toThrow(
      isTensorflow
        ? 'GatherV2: the index value 3 is not in [0, 2]'
        : 'gather: index number 1 is outside of the 3 rows that there are (from 0 on).',
    );
  });

  // The package's convolution refuses padding by a number; that of ops.ts, which everything uses, takes it.
  const convolutions: [kernel: number, strides: number, pad: 'same' | 'valid' | number][] = [
    [3, 1, 'same'],
    [3, 2, 'same'],
    [5, 1, 'valid'],
    [3, 2, 'valid'],
    [1, 1, 'valid'],
    [1, 2, 'same'],
    ...(isTensorflow ? [] : [[2, 1, 1] as [number, number, number]]),
  ];
  test.each(convolutions)(
    'convolution %p, stride %p, padding %p, and both gradients',
    async (kernel, strides, pad) => {
      for (const batch of [1, odd(3)]) {
        const [channels, filters] = [odd(1), odd(1, 12)];
        const x = normal(random, batch, odd(5), odd(7), channels);
        const w = normal(random, kernel, kernel, channels, filters);
        await expectSame(device, [x, w], (x, w) =>
          tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad),
        );
      }
    },
  );

  test('a dilated convolution, one with channels first, and a large one in groups of images', async () => {
    const x = normal(random, 2, 9, 9, 3);
    const w = normal(random, 3, 3, 3, 4);
    const large = normal(random, 70, 24, 24, 3);
    const tensor = ({ data, shape }: typeof x) => tf.tensor<tf.Rank>(data, shape) as tf.Tensor4D;
    await sameValue(() => tf.conv2d(tensor(x), tensor(w), 1, 'same', 'NHWC', 2));
    await sameValue(() =>
      tf.conv2d(tf.transpose<tf.Tensor4D>(tensor(x), [0, 3, 1, 2]), tensor(w), 1, 'valid', 'NCHW'),
    );
    const scaled = { ...large, data: large.data.map((value) => value / 30) };
    await expectSame(device, [scaled, w], (x, w) =>
      tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'valid'),
    );
  });

  test.each([
    [2, 2, 'valid'],
    [3, 2, 'same'],
    [3, 1, 'same'],
  ] as const)('max pooling %p, stride %p, padding %p, and its gradient', async (size, strides, pad) => {
    const x = normal(random, odd(1), odd(5), odd(5), odd(1));
    await expectSame(device, [x], (x) => tf.maxPool(x as tf.Tensor4D, size, strides, pad));
  });

  test('strings, complex numbers and what else goes through kernels of cpu', async () => {
    await tf.setBackend(device);
    const text = tf.tensor1d(['a', 'bc']);
    expect(text.dataSync<'string'>()).toEqual(['a', 'bc'] as never);
    text.dispose();
    await sameValue(() => tf.real(tf.mul(tf.complex([1, 2], [3, 4]), tf.complex([0, 1], [1, 0]))));
    await sameValue(() => tf.oneHot(tf.tensor1d([2, 0], 'int32'), 3));
    await sameValue(() =>
      tf.argMax(
        tf.tensor2d([
          [1, 3, 2],
          [5, 4, 0],
        ]),
        1,
      ),
    );
    await sameValue(() => tf.stridedSlice(tf.range(0, 30).reshape([5, 6]), [0, 1], [5, 6], [2, 2]));
    await sameValue(() => tf.cumsum(tf.tensor1d([1, 2, 3])));
    await sameValue(() => tf.topk(tf.tensor1d([1, 5, 3]), 2).values);
    await sameValue(() => tf.eye(3));
  });
});
