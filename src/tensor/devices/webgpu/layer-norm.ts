import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';
import { runProgram } from './program.ts';
import { sumRows } from './sum-rows.ts';
import { totalOf } from './total.ts';

/** Threads of a workgroup, which has a row. */
const threadsFor = (width: number) => (width <= 256 ? 64 : 256);

const forward = (bias: boolean) => `${totalOf('f32')}
fn run(row : u32, thread : u32) {
  let width = uniforms.width;
  let start = row * width;
  var sum = 0.0;
  for (var i = thread; i < width; i += threads) { sum += x[start + i]; }
  let mean = total(sum, thread) / f32(width);
  var squares = 0.0;
  for (var i = thread; i < width; i += threads) {
    let centred = x[start + i] - mean;
    squares += centred * centred;
  }
  let rstd = inverseSqrt(total(squares, thread) / f32(width) + uniforms.epsilon);
  for (var i = thread; i < width; i += threads) {
    y[start + i] = (x[start + i] - mean) * rstd * gain[i]${bias ? ' + bias[i]' : ''};
  }
  if (thread == 0) {
    means[row] = mean;
    rstds[row] = rstd;
  }
}`;

/** With u the normalised row and g = dy gain: dx = rstd (g - mean(g) - u mean(g u)). */
const backward = (addend: boolean) => `${totalOf('vec2f')}
fn run(row : u32, thread : u32) {
  let width = uniforms.width;
  let start = row * width;
  let mean = means[row];
  let rstd = rstds[row];
  var sums = vec2f();
  for (var i = thread; i < width; i += threads) {
    let g = dy[start + i] * gain[i];
    sums += vec2f(g, g * (x[start + i] - mean) * rstd);
  }
  let averages = total(sums, thread) / f32(width);
  for (var i = thread; i < width; i += threads) {
    let unit = (x[start + i] - mean) * rstd;
    dx[start + i] = rstd * (dy[start + i] * gain[i] - averages.x - unit * averages.y)${
      addend ? ' + addend[start + i]' : ''
    };
  }
}`;

interface Inputs {
  x: tf.TensorInfo;
  gain: tf.TensorInfo;
  bias?: tf.TensorInfo;
}

/** SaneLayerNorm (kernel.ts). */
export function layerNorm(
  backend: WebGPUBackend,
  { x, gain, bias }: Inputs,
  { epsilon }: { epsilon: number },
): tf.TensorInfo[] {
  const width = gain.shape[0] as number;
  const rows = sizeOf(x.shape.slice(0, -1));
  const threads = threadsFor(width);
  return runProgram(backend, {
    name: `SaneLayerNorm ${threads} ${bias ? 'bias' : ''}`,
    code: () => forward(bias !== undefined),
    threads,
    groups: rows,
    inputs: { x, gain, ...(bias ? { bias } : {}) },
    outputs: { y: x.shape, means: [rows], rstds: [rows] },
    sizes: { width },
    numbers: { epsilon },
  });
}

/** SaneLayerNormGrad (kernel.ts): the rows' gradients, to which `addend` of the shape of x is added, and sums over the rows. */
export function layerNormGrad(
  backend: WebGPUBackend,
  given: Inputs & Record<'dy' | 'mean' | 'rstd', tf.TensorInfo> & { addend?: tf.TensorInfo },
  { bias }: { bias: boolean },
): tf.TensorInfo[] {
  const { dy, x, gain, mean: means, rstd: rstds, addend } = given;
  const width = gain.shape[0] as number;
  const rows = sizeOf(x.shape.slice(0, -1));
  const threads = threadsFor(width);
  const [dx] = runProgram(backend, {
    name: `SaneLayerNormGrad ${threads} ${addend ? 'addend' : ''}`,
    code: () => backward(addend !== undefined),
    threads,
    groups: rows,
    inputs: { dy, x, gain, means, rstds, ...(addend ? { addend } : {}) },
    outputs: { dx: x.shape },
    sizes: { width },
  });
  const sums = sumRows(backend, {
    name: `SaneLayerNormGrad sums ${bias ? 'bias' : ''}`,
    inputs: { dy, x, means, rstds },
    terms: { dgain: 'dy[at] * (x[at] - means[row]) * rstds[row]', ...(bias ? { dbias: 'dy[at]' } : {}) },
    ...{ rows, width },
  });
  return [dx as tf.TensorInfo, ...sums];
}
