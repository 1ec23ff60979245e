import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';
import { runProgram } from './program.ts';
import { sumAll } from './sum-all.ts';

const threads = 64;

type Inputs = Record<'x' | 'target' | 'mask', tf.TensorInfo>;

/** SaneMaskedSquares (kernel.ts). */
export function maskedSquares(backend: WebGPUBackend, { x, target, mask }: Inputs): tf.TensorInfo {
  return sumAll(backend, {
    name: 'SaneMaskedSquares',
    inputs: { x, target_of: target, mask },
    // No power: that of a negative base is undefined.
    term: '(mask[i] * x[i] - target_of[i]) * (mask[i] * x[i] - target_of[i])',
    size: sizeOf(x.shape),
  });
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
