/** Computes the same on two back ends and compares: the tests' oracle is tfjs's cpu back end. */
import { expect } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { tf } from '../../src/tensor/tf.ts';

/** A tensor's shape and numbers, on no back end. */
export interface Values {
  shape: number[];
  data: Float32Array;
}

export function normal(random: Random, ...shape: number[]): Values {
  return { shape, data: random.normals(tf.util.sizeFromShape(shape)) };
}

/**
 * The value of `f` on a back end, and the gradients of all inputs for fixed weights of the value's numbers. Fails if a tensor
 * or a kernel's scratch memory is left behind.
 */
export async function evaluate(
  backend: string,
  inputs: Values[],
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
): Promise<Float32Array[]> {
  if (!(await tf.setBackend(backend))) throw new Error(`the back end ${backend} was not started`);
  const held = () => ({ tensors: tf.memory().numTensors, memories: tf.backend().numDataIds() });
  const before = held();
  const tensors = inputs.map(({ shape, data }) => tf.tensor(data, shape));
  const value = tf.tidy(() => f(...tensors));
  const weights = tf.tensor(new Random(1, 'dy').normals(value.size), value.shape);
  const gradients = tf.grads((...xs) => f(...xs))(tensors, weights);
  const results = [];
  for (const tensor of [value, ...gradients]) results.push((await tensor.data<'float32'>()).slice());
  tf.dispose([tensors, value, weights, gradients]);
  expect(held()).toEqual(before);
  return results;
}

/**
 * Every number within `tolerance` of the expected one, relative to the largest of its size, one and the median size of
 * all: a sum in which large terms cancel is only as exact as its terms.
 */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 2e-5): void {
  expect(actual.length).toBe(expected.length);
  const sizes = Float64Array.from(expected, Math.abs).sort();
  const median = sizes[sizes.length >> 1] ?? 0;
  const scale = Number.isFinite(median) ? Math.max(1, median) : 1;
  for (let i = 0; i < expected.length; i++) {
    const [is, wanted] = [actual[i] as number, expected[i] as number];
    // Written so that NaN fails, unless it is expected.
    if (Math.abs(is - wanted) <= tolerance * Math.max(scale, Math.abs(wanted)) || Object.is(is, wanted))
      continue;
    throw new Error(`number ${i} of ${expected.length} is ${is}, expected ${wanted}`);
  }
}

/** `ours` on `backend` has the value and the gradients of `oracle` on cpu. */
export async function expectSame(
  backend: string,
  inputs: Values[],
  ours: (...inputs: tf.Tensor[]) => tf.Tensor,
  oracle = ours,
): Promise<void> {
  const expected = await evaluate('cpu', inputs, oracle);
  const actual = await evaluate(backend, inputs, ours);
  expect(actual.length).toBe(expected.length);
  actual.forEach((numbers, i) => {
    expectClose(numbers, expected[i] as Float32Array);
  });
}
