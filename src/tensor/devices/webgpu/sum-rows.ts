import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../../tf.ts';
import { runProgram } from './program.ts';

const columns = 32;
const lanes = 8;
/** Rows that a workgroup adds up. */
const stripe = 128;

export interface Sums {
  /** As a program's. */
  name: string;
  inputs: Record<string, tf.TensorInfo>;
  /** What is added up, by the name of its sum: WGSL of the number at `at`, in `row`. */
  terms: Record<string, string>;
  rows: number;
  width: number;
}

/**
 * Sums [width] over the rows of terms [rows, width], in the order of `terms`: first those of stripes of rows, then those of the
 * stripes' sums. Neighbouring threads read neighbouring columns.
 */
export function sumRows(backend: WebGPUBackend, { name, inputs, terms, rows, width }: Sums): tf.TensorInfo[] {
  const stripes = Math.max(1, Math.ceil(rows / stripe));
  const names = Object.keys(terms);
  const sums = runProgram(backend, {
    name,
    code: () => codeOf(terms),
    threads: columns * lanes,
    groups: stripes * Math.ceil(width / columns),
    inputs,
    outputs: Object.fromEntries(names.map((sum) => [sum, stripes === 1 ? [width] : [stripes, width]])),
    sizes: { rows, width, blocks: Math.ceil(width / columns) },
  });
  if (stripes === 1) return sums;
  const rest = sumRows(backend, {
    name: `sums of ${names.length}`,
    inputs: Object.fromEntries(sums.map((sum, i) => [`x${i}`, sum])),
    terms: Object.fromEntries(sums.map((_, i) => [`y${i}`, `x${i}[at]`])),
    ...{ rows: stripes, width },
  });
  for (const { dataId } of sums) backend.disposeData(dataId);
  return rest;
}

const codeOf = (terms: Record<string, string>) => {
  const each = (line: (name: string, term: string) => string) =>
    Object.entries(terms)
      .map(([name, term]) => line(name, term))
      .join('\n');
  return `
const columns = ${columns}u;
const lanes = ${lanes}u;
const stripe = ${stripe}u;
${each((name) => `var<workgroup> ${name}_shares : array<f32, threads>;`)}
fn run(group : u32, thread : u32) {
  let first = group / uniforms.blocks * stripe;
  let column = group % uniforms.blocks * columns + thread % columns;
  ${each((name) => `var ${name}_sum = 0.0;`)}
  if (column < uniforms.width) {
    for (var row = first + thread / columns; row < min(first + stripe, uniforms.rows); row += lanes) {
      let at = row * uniforms.width + column;
      ${each((name, term) => `${name}_sum += ${term};`)}
    }
  }
  ${each((name) => `${name}_shares[thread] = ${name}_sum;`)}
  workgroupBarrier();
  if (thread >= columns || column >= uniforms.width) { return; }
  for (var other = thread + columns; other < threads; other += columns) {
    ${each((name) => `${name}_sum += ${name}_shares[other];`)}
  }
  let place = group / uniforms.blocks * uniforms.width + column;
  ${each((name) => `${name}[place] = ${name}_sum;`)}
}`;
};
