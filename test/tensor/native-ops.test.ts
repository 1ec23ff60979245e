/** What is the own of the accelerated devices: results that do not depend on threads, memory, and whole training steps. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import * as ops from '../../src/tensor/ops.ts';
import { AdamW, type Parameter } from '../../src/tensor/optimizers.ts';
import { tf } from '../../src/tensor/tf.ts';
import { evaluate, expectClose, expectSame, normal } from './compare.ts';
import { acceleratedDevices, compiledDevices, kernelDevices, noTensorflow, startTested } from './devices.ts';
import * as naive from './naive-ops.ts';
import { caseNames, makeCase, streamOf } from './op-cases.ts';

const { random, odd } = streamOf('own of devices');

beforeAll(async () => {
  await startTested(acceleratedDevices, 2);
});

describe.each(compiledDevices)(`on %s,`, (device) => {
  test.each(caseNames)('%s is the same with 1, 2 and 3 threads', async (name) => {
    const { inputs, apply } = makeCase(name, 37);
    const results: Float32Array[][] = [];
    for (const threads of [1, 2, 3]) {
      await startDevice(device, { threads });
      results.push(await evaluate(device, inputs, (...xs) => apply(ops, ...xs)));
    }
    await startDevice(device, { threads: 2 });
    expect(results[1]).toEqual(results[0] as Float32Array[]);
    expect(results[2]).toEqual(results[0] as Float32Array[]);
  });
});

describe.each(acceleratedDevices)('a strided convolution on %s', (device) => {
  test.each([
    [3, 2, 1],
    [1, 2, 0],
    [3, 3, 2],
    [2, 2, 1],
    [5, 2, 3],
  ])('of kernel %i, stride %i, padding %i, and its gradients, as on cpu', async (kernel, stride, padding) => {
    for (const batch of [1, odd(3)]) {
      const [channels, out] = [odd(1, 9), odd(1, 20)];
      const inputs = [
        normal(random, batch, odd(5), odd(5, 6), channels),
        normal(random, out, channels, kernel, kernel),
        normal(random, out),
      ];
      const apply = (conv2d: typeof ops.conv2d) => (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) =>
        conv2d(x as tf.Tensor4D, w as tf.Tensor4D, b as tf.Tensor1D, { stride, padding });
      await expectSame(device, inputs, apply(ops.conv2d), apply(naive.conv2d));
    }
  });
});

/** What of a back end tells the memory that it holds: bytes of those with kernels in C, tensors of TensorFlow. */
interface Backend {
  pool?: { bytes: number };
  numDataIds(): number;
  getNumOfTFTensors(): number;
}

/** Training of a small net with a convolution, a transformer's parts and AdamW; the losses of each step. */
async function train(backend: string, steps: number, each?: () => void): Promise<number[]> {
  await tf.setBackend(backend);
  const stream = new Random(7, 'training');
  const variable = (...shape: number[]) => {
    const { data } = normal(stream, ...shape);
    return tf.tidy(() => tf.variable(tf.tensor(data, shape).mul(0.3)));
  };
  const variables = [
    variable(4, 1, 3, 3),
    variable(4),
    variable(12, 4),
    variable(4),
    variable(3, 64),
    variable(3),
  ];
  const parameters: Parameter[] = variables.map((variable, i) => ({ name: `p${i}`, variable, decay: true }));
  const optimizer = new AdamW(parameters, { weightDecay: 0.01 });
  const x = tf.tensor4d(normal(stream, 5, 10, 10, 1).data, [5, 10, 10, 1]);
  const labels = tf.tidy(() => tf.oneHot(tf.tensor1d([0, 1, 2, 0, 1], 'int32'), 3));
  const [kernel, bias, qkv, gain, last, lastBias] = variables as unknown as [
    ...[tf.Tensor4D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D],
  ];
  const lossOf = (): tf.Scalar => {
    const tokens = ops.maxPool(ops.conv2d(x, kernel, bias, { inputGradient: false })).reshape([5, 16, 4]);
    const attended = ops.attention(ops.linear(ops.layerNorm(tokens, gain), qkv) as tf.Tensor3D, 2);
    const logits = ops.linear(ops.gelu(tf.add(tokens, attended)).reshape([5, 64]), last, lastBias);
    return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), labels), 1))) as tf.Scalar;
  };
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(lossOf, variables);
      const named = parameters.map(({ name, variable }) => [name, grads[variable.name] as tf.Tensor]);
      optimizer.step(Object.fromEntries(named), { learningRate: 0.01 });
      return value;
    });
    losses.push((await loss.data())[0] as number);
    loss.dispose();
    each?.();
  }
  optimizer.dispose();
  tf.dispose([variables, x, labels]);
  return losses;
}

// webgpu's steps are those of SANE and of a zoo, in their tests; its memory is in webgpu-device.test.ts.
describe.each(kernelDevices)('training on %s', (device) => {
  test('has the losses that it has on cpu, to 1e-4', async () => {
    const [expected, actual] = [await train('cpu', 12), await train(device, 12)];
    expectClose(actual, expected, 1e-4);
    expect(actual.at(-1) as number).toBeLessThan(actual[0] as number);
  });

  test('of a thousand steps takes no more memory than that of a few', async () => {
    await tf.setBackend(device);
    const backend = tf.backend() as unknown as Backend;
    const held = () => [tf.memory().numTensors, backend.numDataIds()];
    const before = held();
    const sizes: number[] = [];
    // TensorFlow does not tell its bytes, but how many tensors it holds; some of them are numbers kept for the next use.
    await train(device, 1000, () => sizes.push(backend.pool?.bytes ?? backend.getNumOfTFTensors()));
    expect(sizes.at(-1)).toBeLessThanOrEqual((sizes[10] as number) + (backend.pool ? 0 : 256));
    expect(held()).toEqual(before);
  });
});

describe.each(acceleratedDevices)('data of a tensor on %s', (device) => {
  test('that was read stays as it was when its memory serves another', async () => {
    await tf.setBackend(device);
    const x = tf.tensor1d([1, 2, 3]);
    const [numbers, part] = [await x.data(), tf.slice(x, [1], [2])];
    x.dispose();
    const other = tf.fill([3], 7);
    expect([...numbers]).toEqual([1, 2, 3]);
    expect([...(await part.data())]).toEqual([2, 3]);
    tf.dispose([part, other]);
  });

  test('is a copy of the array that it was made of', async () => {
    await tf.setBackend(device);
    const numbers = Float32Array.of(1, 2);
    const x = tf.tensor1d(numbers);
    numbers.fill(9);
    expect([...(await x.data())]).toEqual([1, 2]);
    x.dispose();
  });

  test.if(kernelDevices.includes(device))('moves from and to another back end', async () => {
    await tf.setBackend('cpu');
    const x = tf.tensor1d([1, 2, 3]);
    await tf.setBackend(device);
    const y = tf.square(x);
    await tf.setBackend('cpu');
    const z = tf.add(x, y);
    expect([...(await z.data())]).toEqual([2, 6, 12]);
    tf.dispose([x, y, z]);
  });

  test.if(compiledDevices.includes(device))('of too many numbers is refused', async () => {
    await tf.setBackend(device);
    expect(() => tf.tidy(() => tf.fill([2 ** 16, 2 ** 15], 0))).toThrow(
      'A tensor of 2147483648 numbers is too large for the kernels, which count to 2147483647. Use smaller batches.',
    );
  });
});

describe.skipIf(noTensorflow !== undefined)('numbers on tensorflow', () => {
  const read = (x: tf.Tensor) => x.dataSync<'float32'>()[0] as number;

  test('are what they were, however many there are and in which order they go', async () => {
    await tf.setBackend('tensorflow');
    const backend = tf.backend() as unknown as Backend;
    const before = backend.getNumOfTFTensors();
    const numbers = [0, -0, Number.NaN, Infinity, ...random.normals(1200)];
    const scalars = numbers.map((number) => tf.scalar(number));
    const again = numbers.map((number) => tf.scalar(number));
    // Every third goes; the others must not go with it, when other numbers come.
    for (const [i, scalar] of scalars.entries()) if (i % 3 === 0) scalar.dispose();
    const fresh = Array.from(random.normals(900), (number) => tf.scalar(number));
    for (const [i, number] of numbers.entries()) {
      expect(read(again[i] as tf.Tensor)).toBe(Math.fround(number));
      if (i % 3 > 0) expect(read(scalars[i] as tf.Tensor)).toBe(Math.fround(number));
    }
    tf.dispose([scalars, again, fresh]);
    // Those of no use go when enough others have come.
    for (let i = 0; i < 6000; i++) tf.scalar(i).dispose();
    expect(backend.getNumOfTFTensors() - before).toBeLessThan(600);
  });

  test('are brought to the device once', async () => {
    await tf.setBackend('tensorflow');
    const backend = tf.backend() as unknown as Backend;
    const x = tf.tensor1d([1, 2]);
    const held = tf.scalar(0.123);
    const before = backend.getNumOfTFTensors();
    const others = Array.from({ length: 20 }, () => tf.scalar(0.123));
    expect(backend.getNumOfTFTensors()).toBe(before);
    const reshaped = tf.reshape(held, [1, 1]);
    held.dispose();
    const product = tf.mul(x, reshaped);
    expect(read(product)).toBe(Math.fround(0.123));
    tf.dispose([x, others, reshaped, product]);
  });
});
