/** The matrix product of webgpu, at sizes and in layouts that the operations of ops.test.ts do not have. The oracle is in float64. */
import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { Random } from '../../src/base/random.ts';
import { type Factors, multiply, multiplyAll } from '../../src/tensor/devices/webgpu/product.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { expectClose, normal, type Values } from './compare.ts';
import { noWebgpu, startTested } from './devices.ts';

setDefaultTimeout(300_000);
const random = new Random(testSeed, 'products');

/** Of a factor: whether its matrix is transposed, and what it is. */
type Side = [transposed: boolean, values: Values];
const sideOf = (rows: number, columns: number, transposed: boolean): Side => [
  transposed,
  transposed ? normal(random, columns, rows) : normal(random, rows, columns),
];

/** a b in float64, [m, n]. */
function multiplied(m: number, n: number, k: number, a: Side, b: Side): Float64Array {
  const at = ([transposed, { data, shape }]: Side, row: number, column: number) =>
    data[transposed ? column * (shape[1] as number) + row : row * (shape[1] as number) + column] as number;
  const product = new Float64Array(m * n);
  for (let i = 0; i < product.length; i++)
    for (let t = 0; t < k; t++) (product[i] as number) += at(a, Math.floor(i / n), t) * at(b, t, i % n);
  return product;
}

const backend = () => tf.backend() as WebGPUBackend;
const tensorOf = ({ data, shape }: Values) => tf.tensor(data, shape);
const factorsOf = (a: Side, b: Side): Factors =>
  [a, b].map(([transposed, values]) => ({ matrix: tensorOf(values), transposed })) as unknown as Factors;

/** The numbers of what `compute` makes, which are the very same the second time. */
async function numbersOf(compute: () => tf.TensorInfo[]): Promise<Float32Array[]> {
  const run = async () => {
    const tensors = compute().map((info) => tf.engine().makeTensorFromTensorInfo(info));
    const numbers = await Promise.all(
      tensors.map(async (tensor) => (await tensor.data<'float32'>()).slice()),
    );
    tf.dispose(tensors);
    return numbers;
  };
  const [first, second] = [await run(), await run()];
  const bytes = (all: Float32Array[]) => Buffer.concat(all.map(({ buffer }) => Buffer.from(buffer)));
  expect(bytes(second).equals(bytes(first))).toBe(true);
  return first;
}

/** Abramowitz and Stegun's 7.1.5 and 7.1.14: the error function's series, or its continued fraction from above 3. */
function erf(x: number): number {
  if (Math.abs(x) > 3) {
    let fraction = 0;
    for (let i = 60; i > 0; i--) fraction = i / 2 / (Math.abs(x) + fraction);
    return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (Math.abs(x) + fraction));
  }
  let [sum, term] = [x, x];
  for (let i = 1; i < 60; i++) {
    term *= -(x * x) / i;
    sum += term / (2 * i + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
const distribution = (x: number) => (1 + erf(x * Math.SQRT1_2)) / 2;
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

describe.if(!noWebgpu)('products on webgpu', () => {
  beforeAll(async () => {
    await startTested(['webgpu'], 1);
  });

  // Tiles have sides of 32 and 64 and 32 or 16 terms; vectors have four numbers; sums are in parts from 1024 terms on, and tiles large where there are 256.
  test.each([
    [1, 1, 1, false, false],
    [3, 17, 5, false, true],
    [65, 130, 33, true, false],
    [130, 65, 31, true, true],
    [36, 68, 64, false, false],
    [33, 40, 1100, true, false],
    [5, 7, 2051, false, true],
    [65, 8132, 18, false, true],
    [8129, 66, 19, true, false],
  ])('%i x %i of %i terms, transposed: %p, %p', async (m, n, k, transposedA, transposedB) => {
    const [a, b] = [sideOf(m, k, transposedA), sideOf(k, n, transposedB)];
    const factors = factorsOf(a, b);
    const held = backend().numDataIds();
    const [product] = await numbersOf(() => multiply(backend(), factors));
    expect(backend().numDataIds()).toBe(held);
    expectClose(product as Float32Array, multiplied(m, n, k, a, b));
    tf.dispose(factors.map(({ matrix }) => matrix as tf.Tensor));
  });

  test.each([
    [37, 68, 31],
    [6, 35, 12],
  ])('epilogues of %i x %i of %i terms', async (m, n, k) => {
    const [a, b] = [sideOf(m, k, false), sideOf(k, n, false)];
    const [bias, addend] = [normal(random, n), normal(random, m, n)];
    const factors = factorsOf(a, b);
    const [biasTensor, addendTensor] = [tensorOf(bias), tensorOf(addend)];
    const product = multiplied(m, n, k, a, b);
    const sum = product.map((value, i) => value + (bias.data[i % n] as number) + (addend.data[i] as number));
    const [hidden, before] = await numbersOf(() =>
      multiply(backend(), factors, { bias: biasTensor, addend: addendTensor, gelu: true }),
    );
    expectClose(before as Float32Array, sum, 1e-5);
    expectClose(
      hidden as Float32Array,
      sum.map((x) => x * distribution(x)),
      1e-5,
    );
    const [gradient] = await numbersOf(() => multiply(backend(), factors, { geluOf: addendTensor }));
    const slope = (x: number) => distribution(x) + x * density(x);
    expectClose(
      gradient as Float32Array,
      product.map((value, i) => value * slope(addend.data[i] as number)),
      1e-5,
    );
    tf.dispose([biasTensor, addendTensor, ...factors.map(({ matrix }) => matrix as tf.Tensor)]);
  });

  test('more products at once than a pass adds up, in one part and in several', async () => {
    const sizes = [
      ...[[9, 4, 1024] as const, [3, 5, 1500] as const, [4, 4, 64] as const, [8, 2, 3000] as const],
      ...[[5, 1, 1024] as const, [1, 12, 2048] as const],
    ];
    const sides = sizes.map(([m, n, k]) => [sideOf(m, k, true), sideOf(k, n, false)] as const);
    const all = sides.map(([a, b]) => factorsOf(a, b));
    const products = await numbersOf(() => multiplyAll(backend(), all));
    for (const [i, [m, n, k]] of sizes.entries()) {
      const [a, b] = sides[i] as [Side, Side];
      expectClose(products[i] as Float32Array, multiplied(m, n, k, a, b));
    }
    tf.dispose(all.flat().map(({ matrix }) => matrix as tf.Tensor));
  });
});
