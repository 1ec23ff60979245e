/**
 * Rounding errors of convolutions by Winograd's F(2x2, 3x3) and F(3x3, 2x2), against float64. A result is A'((G g G') . (B' d B))A summed
 * over channels: a sum of products whose signs are random. So are its partial sums, of the size of r, the root of the sum of the products'
 * squares, and the n roundings on the way of a product: 2 in B' d B, 4 in G g G' and in A' m A each, and one in each product and sum. Each is
 * wrong by 2^-24 of a partial sum at most, so all of them by some sqrt(n) 2^-24 r (Higham and Mary 2020), and by four times that for none
 * of thousands of results. That holds for vectors of any width: each result is summed in the same order.
 */
import { beforeAll, describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { conv2d } from '../../src/tensor/ops.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { compiledDevices, startTested } from './devices.ts';

beforeAll(() => startTested(compiledDevices, 2));

type Matrix = readonly (readonly number[])[];
/** The transforms' matrices, each entry squared. */
const inputs: Matrix = [
  [1, 0, 1, 0],
  [0, 1, 1, 0],
  [0, 1, 1, 0],
  [0, 1, 0, 1],
];
const filters: Matrix = [
  [1, 0, 0],
  [0.25, 0.25, 0.25],
  [0.25, 0.25, 0.25],
  [0, 0, 1],
];
const outputs: Matrix = [
  [1, 1, 1, 0],
  [0, 1, 1, 1],
];
const transpose = (m: Matrix): Matrix =>
  (m[0] as readonly number[]).map((_, j) => m.map((row) => row[j] as number));
const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => transpose(b).map((column) => row.reduce((sum, x, i) => sum + x * (column[i] as number), 0)));
const squared = (x: number) => x * x;
/** m x m'. */
const around = (m: Matrix, x: Matrix): Matrix => times(times(m, x), transpose(m));
const square = (size: number, value: (i: number, j: number) => number): Matrix =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => value(i, j)));
const addProducts = (sum: number[][], a: Matrix, b: Matrix) => {
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 4; j++)
      (sum[i] as number[])[j] = (sum[i]?.[j] ?? 0) + (a[i]?.[j] as number) * (b[i]?.[j] as number);
};

const [batch, height, width, channels, count] = [2, 5, 6, 48, 32];
const random = new Random(testSeed, 'winograd');
const x = random.normals(batch * height * width * channels);
const w = random.normals(count * channels * 9);
const dy = random.normals(batch * height * width * count);
const inside = (i: number, j: number) => i >= 0 && j >= 0 && i < height && j < width;
const at = (data: Float32Array, depth: number, b: number, i: number, j: number, c: number) =>
  inside(i, j) ? (data[((b * height + i) * width + j) * depth + c] as number) : 0;
const tap = (f: number, c: number, i: number, j: number) => w[(f * channels + c) * 9 + 3 * i + j] as number;
const tiles = Array.from({ length: batch }, (_, b) =>
  Array.from({ length: Math.ceil(height / 2) }, (_, i) =>
    Array.from({ length: Math.ceil(width / 2) }, (_, j) => [b, 2 * i, 2 * j] as const),
  ),
).flat(2);

/** The exact value of every result, and the size of its sum: the root of the sum of the squares of Winograd's products. */
interface Reference {
  exact: Float64Array;
  size: Float64Array;
  roundings: number;
}

/** Of a convolution of images of `depth` channels with padding 1, where filter(c, k) is 3x3. */
function convolution(
  data: Float32Array,
  depth: number,
  results: number,
  filter: (c: number, k: number) => Matrix,
): Reference {
  const total = batch * height * width * results;
  const [exact, size] = [new Float64Array(total), new Float64Array(total)];
  const all = Array.from({ length: results }, (_, k) =>
    Array.from({ length: depth }, (_, c) => filter(c, k)),
  );
  const transformed = all.map((row) =>
    row.map((taps) =>
      around(
        filters,
        taps.map((r) => r.map(squared)),
      ),
    ),
  );
  for (const [b, top, left] of tiles) {
    const patches = Array.from({ length: depth }, (_, c) =>
      square(4, (i, j) => at(data, depth, b, top + i - 1, left + j - 1, c)),
    );
    const squares = patches.map((patch) =>
      around(
        inputs,
        patch.map((r) => r.map(squared)),
      ),
    );
    for (let k = 0; k < results; k++) {
      const products = square(4, () => 0) as number[][];
      for (let c = 0; c < depth; c++)
        addProducts(products, squares[c] as Matrix, transformed[k]?.[c] as Matrix);
      const y = around(outputs, products);
      for (let i = 0; i < 2; i++)
        for (let j = 0; j < 2; j++) {
          if (!inside(top + i, left + j)) continue;
          const place = ((b * height + top + i) * width + left + j) * results + k;
          size[place] = Math.sqrt(y[i]?.[j] as number);
          for (let c = 0; c < depth; c++)
            for (let n = 0; n < 9; n++) {
              const [p, q] = [Math.floor(n / 3), n % 3];
              exact[place] =
                (exact[place] as number) +
                (patches[c]?.[i + p]?.[j + q] as number) * (all[k]?.[c]?.[p]?.[q] as number);
            }
        }
    }
  }
  return { exact, size, roundings: depth + 11 };
}

/** The gradient of the filters: sums over tiles in the place of channels. */
function filterGradient(): Reference {
  const [exact, size] = [new Float64Array(w.length), new Float64Array(w.length)];
  const squares = (depth: number, data: Float32Array, size: number, offset: number, transform: Matrix) =>
    Array.from({ length: depth }, (_, c) =>
      tiles.map(([b, top, left]) =>
        around(
          transform,
          square(size, (i, j) => squared(at(data, depth, b, top + i - offset, left + j - offset, c))),
        ),
      ),
    );
  const images = squares(channels, x, 4, 1, inputs);
  const gradients = squares(count, dy, 2, 0, transpose(outputs));
  for (let f = 0; f < count; f++)
    for (let c = 0; c < channels; c++) {
      const products = square(4, () => 0) as number[][];
      for (const t of tiles.keys())
        addProducts(products, images[c]?.[t] as Matrix, gradients[f]?.[t] as Matrix);
      const dw = around(transpose(filters), products);
      for (let n = 0; n < 9; n++) {
        const [p, q] = [Math.floor(n / 3), n % 3];
        const place = (f * channels + c) * 9 + n;
        size[place] = Math.sqrt(dw[p]?.[q] as number);
        for (let b = 0; b < batch; b++)
          for (let i = 0; i < height; i++)
            for (let j = 0; j < width; j++)
              exact[place] =
                (exact[place] as number) +
                at(x, channels, b, i + p - 1, j + q - 1, c) * at(dy, count, b, i, j, f);
      }
    }
  return { exact, size, roundings: tiles.length + 11 };
}

describe.each(compiledDevices)('on %s, convolutions by Winograd', (device) => {
  test('are as exact as their transforms allow, with the gradients of images and filters', async () => {
    await tf.setBackend(device);
    const [images, weights] = [
      tf.tensor4d(x, [batch, height, width, channels]),
      tf.tensor4d(w, [count, channels, 3, 3]),
    ];
    const gradient = tf.tensor4d(dy, [batch, height, width, count]);
    const apply = (...[a, b]: tf.Tensor[]) =>
      conv2d(a as tf.Tensor4D, b as tf.Tensor4D, undefined, { padding: 1 });
    const y = apply(images, weights);
    const [dx, dw] = tf.grads(apply)([images, weights], gradient) as [tf.Tensor, tf.Tensor];
    const references = [
      convolution(x, channels, count, (c, f) => square(3, (i, j) => tap(f, c, i, j))),
      convolution(dy, count, channels, (f, c) => square(3, (i, j) => tap(f, c, 2 - i, 2 - j))),
      filterGradient(),
    ];
    for (const [n, tensor] of [y, dx, dw].entries()) {
      const { exact, size, roundings } = references[n] as Reference;
      const worst = (await tensor.data<'float32'>()).reduce(
        (most, value, i) => Math.max(most, Math.abs(value - (exact[i] as number)) / (size[i] as number)),
        0,
      );
      expect(worst).toBeLessThan(4 * Math.sqrt(roundings) * 2 ** -24);
      expect(worst).toBeGreaterThan(0);
    }
    tf.dispose([images, weights, gradient, y, dx, dw]);
  });
});
