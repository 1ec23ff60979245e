import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../../tf.ts';
import { addParts } from './add-parts.ts';
import { type Epilogue, endOf } from './epilogue.ts';
import { layoutOf, productOf } from './product-tiles.ts';
import { runProgram } from './program.ts';

/** Workgroups that are to be there at least, if the product has enough numbers: large GPUs run some hundred at the same time. */
const enough = 256;
/** Terms that a part of a sum has at least, about: fewer are computed in less time than a further pass takes. */
const leastTerms = 512;

/** A factor as it is in memory: a matrix, or the transposed one. */
export interface Factor {
  matrix: tf.TensorInfo;
  transposed?: boolean;
}

/** Of a product: a [m, k] and b [k, n]. */
export type Factors = readonly [a: Factor, b: Factor];

/** A product and its epilogue: the epilogue's outputs, [m, n]. */
export function multiply(backend: WebGPUBackend, factors: Factors, epilogue: Epilogue = {}): tf.TensorInfo[] {
  const isPlain = Object.keys(epilogue).length === 0;
  return isPlain ? multiplyAll(backend, [factors]) : compute(backend, factors, divide(factors, 1), epilogue);
}

/**
 * Products [m, n]. Where there would be few workgroups (weights' gradients, m and n being widths and k all tokens of a batch), each
 * computes a part of the sums; one pass then adds up the parts of all products, in the same order every time.
 */
export function multiplyAll(backend: WebGPUBackend, all: readonly Factors[]): tf.TensorInfo[] {
  const products = all.map((factors) => {
    const tiling = divide(factors, Number.POSITIVE_INFINITY);
    const [sums] = compute(backend, factors, tiling, {}) as [tf.TensorInfo];
    return { sums, parts: tiling.parts, shape: [tiling.m, tiling.n] };
  });
  const parted = products.filter(({ parts }) => parts > 1);
  const added = addParts(backend, parted);
  for (const { sums } of parted) backend.disposeData(sums.dataId);
  return products.map((product) => added[parted.indexOf(product)] ?? product.sums);
}

/** The parts of a product below one another, or the product. */
function compute(
  backend: WebGPUBackend,
  factors: Factors,
  { m, n, k, side, tiles, parts, terms }: Tiling,
  epilogue: Epilogue,
): tf.TensorInfo[] {
  const [a, b] = factors;
  const layout = layoutOf(factors);
  const end = endOf(epilogue, parts * m, n);
  return runProgram(backend, {
    name: `product ${side} ${layout.name} ${end.name}`,
    code: () => end.code() + productOf(side, layout),
    threads: 2 * side,
    groups: tiles * parts,
    inputs: { a: a.matrix, b: b.matrix, ...end.inputs },
    outputs: end.outputs,
    vectors: [...layout.vectors, ...end.vectors],
    sizes: { m, n, k, terms, tiles, columns: Math.ceil(n / side) },
  });
}

interface Tiling extends Record<'m' | 'n' | 'k', number> {
  /** Of a workgroup's square of the result. */
  side: number;
  /** Squares of the result. */
  tiles: number;
  /** Into which the sums are divided. */
  parts: number;
  /** Of a part. */
  terms: number;
}

/** Larger tiles read less of the factors for each number: they are taken wherever there are enough workgroups with them. */
function divide([a, b]: Factors, mostParts: number): Tiling {
  const [m, k] = sizesOf(a);
  const [, n] = sizesOf(b);
  const [large, small] = [64, 32].map((side) => {
    const tiles = Math.ceil(m / side) * Math.ceil(n / side);
    const wanted = Math.min(mostParts, Math.ceil(enough / tiles), Math.floor(k / leastTerms));
    // No part ends within what a workgroup reads at once, 16 or 32 terms.
    const terms = 32 * Math.max(1, Math.ceil(k / Math.max(1, wanted) / 32));
    return { m, n, k, side, tiles, terms, parts: Math.max(1, Math.ceil(k / terms)) };
  }) as [Tiling, Tiling];
  return large.tiles * large.parts >= enough ? large : small;
}

function sizesOf({ matrix, transposed = false }: Factor): [number, number] {
  const [rows, columns] = matrix.shape as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}
