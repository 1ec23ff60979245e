import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';
import { runProgram } from './program.ts';

const threads = 64;

/** A thread for each number of dx: it has its window's gradient if it is the first that equals the maximum. */
const code = `
fn run(group : u32, thread : u32) {
  let i = group * threads + thread;
  if (i >= uniforms.size) { return; }
  let channel = i % uniforms.channels;
  let column = i / uniforms.channels % uniforms.width;
  let row = i / uniforms.channels / uniforms.width % uniforms.height;
  let image = i / uniforms.channels / uniforms.width / uniforms.height;
  let side = uniforms.side;
  let window = vec2u(row, column) / side;
  dx[i] = 0;
  if (window.x >= uniforms.rows || window.y >= uniforms.columns) { return; }
  let at = ((image * uniforms.rows + window.x) * uniforms.columns + window.y) * uniforms.channels + channel;
  if (x[i] != y[at]) { return; }
  for (var r = window.x * side; r <= row; r++) {
    for (var c = window.y * side; c < (window.y + 1) * side; c++) {
      if (r == row && c >= column) { break; }
      if (x[((image * uniforms.height + r) * uniforms.width + c) * uniforms.channels + channel] == y[at]) { return; }
    }
  }
  dx[i] = dy[at];
}`;

/** SaneMaxPoolGrad (kernel.ts). The package's own gives the gradient to another one of equals, and zeros behind relu are equal. */
export function maxPoolGrad(
  backend: WebGPUBackend,
  { dy, x, y }: Record<'dy' | 'x' | 'y', tf.TensorInfo>,
  { filterSize: side }: { filterSize: number },
): tf.TensorInfo[] {
  const [, height, width, channels] = x.shape as [number, number, number, number];
  const [, rows, columns] = y.shape as [number, number, number, number];
  const size = sizeOf(x.shape);
  return runProgram(backend, {
    name: 'SaneMaxPoolGrad',
    code: () => code,
    ...{ threads, groups: Math.ceil(size / threads) },
    inputs: { dy, x, y },
    outputs: { dx: x.shape },
    sizes: { size, height, width, channels, rows, columns, side },
  });
}
