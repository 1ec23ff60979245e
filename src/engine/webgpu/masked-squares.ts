import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../tf.ts';
import { runProgram, sizeOf } from './program.ts';
import { totalOf } from './total.ts';

const threads = 256;
/** Workgroups that add up numbers at the same time, at most; there is one then that adds up theirs. */
const most = 256;

/** Each thread adds up numbers that are as far from each other as there are threads, so that neighbours read neighbours. */
const sums = (term: string) => `${totalOf('f32')}
fn run(group : u32, thread : u32) {
  var sum = 0.0;
  for (var i = group * threads + thread; i < uniforms.size; i += threads * uniforms.groups) {
    ${term}
  }
  let all = total(sum, thread);
  if (thread == 0) { y[group] = all; }
}`;

const squares = `
    let error = mask[i] * x[i] - target_of[i];
    sum += error * error;`;

type Inputs = Record<'x' | 'target' | 'mask', tf.TensorInfo>;

/** SaneMaskedSquares (kernel.ts). */
export function maskedSquares(backend: WebGPUBackend, { x, target, mask }: Inputs): tf.TensorInfo[] {
  const size = sizeOf(x.shape);
  const groups = Math.min(most, Math.ceil(size / threads));
  const [parts] = runProgram(backend, {
    name: 'SaneMaskedSquares',
    code: () => sums(squares),
    ...{ threads, groups, sizes: { size } },
    inputs: { x, target_of: target, mask },
    outputs: { y: groups === 1 ? [] : [groups] },
  }) as [tf.TensorInfo];
  if (groups === 1) return [parts];
  const sum = runProgram(backend, {
    name: 'SaneMaskedSquares sum',
    code: () => sums('sum += x[i];'),
    ...{ threads, groups: 1, sizes: { size: groups } },
    inputs: { x: parts },
    outputs: { y: [] },
  });
  backend.disposeData(parts.dataId);
  return sum;
}

const gradient = `
fn run(group : u32, thread : u32) {
  let i = group * threads + thread;
  if (i < uniforms.size) { dx[i] = 2 * dy[0] * mask[i] * (mask[i] * x[i] - target_of[i]); }
}`;

/** SaneMaskedSquaresGrad (kernel.ts). */
export function maskedSquaresGrad(
  backend: WebGPUBackend,
  { dy, x, target, mask }: Inputs & { dy: tf.TensorInfo },
): tf.TensorInfo[] {
  const size = sizeOf(x.shape);
  return runProgram(backend, {
    name: 'SaneMaskedSquaresGrad',
    code: () => gradient,
    ...{ threads, groups: Math.ceil(size / threads), sizes: { size } },
    inputs: { dy, x, target_of: target, mask },
    outputs: { dx: x.shape },
  });
}
