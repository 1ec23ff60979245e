import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../../tf.ts';
import { type Epilogue, programOf } from './epilogue.ts';
import { returnFour } from './fours.ts';
import { factorsOf, productOf } from './product-tiles.ts';
import { runProgram } from './program.ts';

/** Workgroups that are to be there at least, if the product has enough numbers: large GPUs run some hundred at the same time. */
const enough = 256;
/** Terms of a sum that a workgroup has at least where it has a part of them. */
const leastTerms = 128;

/** A factor as it is in memory: a matrix, or the transposed one. */
export interface Factor {
  matrix: tf.TensorInfo;
  transposed?: boolean;
}

/** The product of a [m, k] and b [k, n], and what `epilogue` says: its outputs, [m, n]. Sums have the same order every time. */
export function multiply(
  backend: WebGPUBackend,
  a: Factor,
  b: Factor,
  epilogue: Epilogue = {},
): tf.TensorInfo[] {
  const [m, k] = sizesOf(a);
  const [, n] = sizesOf(b);
  const { side, groups, parts, terms } = divide(m, n, k);
  const factors = factorsOf(a, b);
  const end = programOf(parts === 1 ? epilogue : {}, m * parts, n);
  const products = runProgram(backend, {
    name: `product ${side} ${factors.name} ${end.name}`,
    code: () => end.code() + productOf(side, factors),
    threads: side * 2,
    groups: groups * parts,
    inputs: { a: a.matrix, b: b.matrix, ...end.inputs },
    outputs: end.outputs,
    vectors: [...factors.vectors, ...end.vectors],
    sizes: { m, n, k, terms, columns: Math.ceil(n / side), groups_of_part: groups },
  });
  if (parts === 1) return products;
  const [sums] = products as [tf.TensorInfo];
  const results = add(backend, sums, parts, m, n, epilogue);
  backend.disposeData(sums.dataId);
  return results;
}

const sizesOf = ({ matrix, transposed = false }: Factor): [number, number] => {
  const [rows, columns] = matrix.shape as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
};

/**
 * The side of a workgroup's tile of the result, and in how many parts sums are added up: large tiles read less of the factors for each
 * number, so they are taken wherever there are enough workgroups with them.
 */
function divide(m: number, n: number, k: number) {
  const [large, small] = [64, 32].map((side) => {
    const groups = Math.ceil(m / side) * Math.ceil(n / side);
    const wanted = Math.max(1, Math.min(Math.ceil(enough / groups), Math.floor(k / leastTerms)));
    const terms = leastTerms * Math.ceil(k / wanted / leastTerms);
    return { side, groups, terms, parts: Math.ceil(k / terms) };
  }) as [Tiling, Tiling];
  return large.groups * large.parts >= enough ? large : small;
}

interface Tiling {
  side: number;
  /** Workgroups of a part. */
  groups: number;
  parts: number;
  /** Terms of a part. */
  terms: number;
}

const addThreads = 64;

/** The second pass where sums were in parts: adds these up, four numbers to a thread. */
function add(
  backend: WebGPUBackend,
  sums: tf.TensorInfo,
  parts: number,
  m: number,
  n: number,
  epilogue: Epilogue,
): tf.TensorInfo[] {
  const end = programOf(epilogue, m, n);
  const vectors = n % 4 === 0;
  const quads = Math.ceil(n / 4);
  return runProgram(backend, {
    name: `product sums ${end.name}`,
    code: () => `${end.code()}
fn sum_at(at : u32, column : u32) -> vec4f { ${returnFour('sums', vectors, 'uniforms.n')} }
fn run(group : u32, thread : u32) {
  let i = group * threads + thread;
  let row = i / uniforms.quads;
  let column = i % uniforms.quads * 4;
  if (row >= uniforms.m) { return; }
  var value = vec4f();
  for (var part = 0u; part < uniforms.parts; part++) {
    value += sum_at((part * uniforms.m + row) * uniforms.n + column, column);
  }
  finish(row, column, value);
}`,
    threads: addThreads,
    groups: Math.ceil((m * quads) / addThreads),
    inputs: { sums, ...end.inputs },
    outputs: end.outputs,
    vectors: [...(vectors ? ['sums'] : []), ...end.vectors],
    sizes: { m, n, parts, quads },
  });
}
