import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../../tf.ts';
import { runProgram } from './program.ts';
import { totalOf } from './total.ts';

const threads = 256;
/** Workgroups that add up at the same time, at most; one then adds up their sums. */
const most = 256;

export interface Terms {
  /** As a program's. */
  name: string;
  inputs: Record<string, tf.TensorInfo>;
  /** WGSL of the term of number `i`. */
  term: string;
  /** How many there are. */
  size: number;
}

/** The sum of all terms, as a scalar. */
export function sumAll(backend: WebGPUBackend, { name, inputs, term, size }: Terms): tf.TensorInfo {
  const groups = Math.min(most, Math.ceil(size / threads));
  const [sum] = runProgram(backend, {
    name,
    code: () => codeOf(term),
    ...{ threads, groups, inputs, outputs: { sums: groups === 1 ? [] : [groups] }, sizes: { size } },
  }) as [tf.TensorInfo];
  if (groups === 1) return sum;
  const all = sumAll(backend, { name: 'sum of all', inputs: { x: sum }, term: 'x[i]', size: groups });
  backend.disposeData(sum.dataId);
  return all;
}

/** A thread's terms are as far from each other as there are threads, so that neighbours read neighbours. */
const codeOf = (term: string) => `${totalOf('f32')}
fn run(group : u32, thread : u32) {
  var sum = 0.0;
  for (var i = group * threads + thread; i < uniforms.size; i += threads * uniforms.groups) { sum += ${term}; }
  let all = total(sum, thread);
  if (thread == 0) { sums[group] = all; }
}`;
