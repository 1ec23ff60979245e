import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';
import { runProgram } from './program.ts';

const threads = 64;

/**
 * The distribution function of the standard normal and its density. For x >= 0, erfc(x) e^(x^2) / t in t = 1 / (1 + x / 2) is nearly a
 * polynomial; these coefficients have a relative error below 1e-7 (native/vmath.h). Where e^(-x^2 / 2) is 0 in float32 there is no
 * e^(-x^2) to compute, and no number beyond is looked at. What is no number may be lost here: the result is a product with x.
 */
export const normal = (type: string) => `
alias number = ${type};
fn density_of(x : number) -> number {
  let a = min(abs(x), number(13.2));
  return select(0.398942280 * exp2(a * a * -0.721347520), number(), a >= number(13.2));
}
fn distribution_of(x : number, density : number) -> number {
  let t = 1 / (1 + 0.353553391 * min(abs(x), number(20)));
  var p = t * -0.0607700758 + 0.292430818;
  p = p * t - 0.502442598;
  p = p * t + 0.294211268;
  p = p * t - 0.0367741808;
  p = p * t + 0.206540257;
  p = p * t + 0.242245644;
  p = p * t + 0.282477379;
  p = p * t + 0.282081455;
  let upper = 1.25331414 * t * p * density;
  return select(upper, 1 - upper, x > number());
}`;

const codeOf = (type: string, result: string, value: string) => `${normal(type)}
fn run(group : u32, thread : u32) {
  let i = group * threads + thread;
  if (i >= uniforms.size) { return; }
  let density = density_of(x[i]);
  let distribution = distribution_of(x[i], density);
  ${result}[i] = ${value};
}`;

/** One number or four of each tensor to a thread. */
function each(
  backend: WebGPUBackend,
  name: string,
  inputs: Record<string, tf.TensorInfo> & { x: tf.TensorInfo },
  result: string,
  value: string,
): tf.TensorInfo[] {
  const { shape } = inputs.x;
  const size = sizeOf(shape);
  const width = size % 4 === 0 ? 4 : 1;
  return runProgram(backend, {
    name: `${name} ${width}`,
    code: () => codeOf(width === 4 ? 'vec4f' : 'f32', result, value),
    threads,
    groups: Math.ceil(size / width / threads),
    inputs,
    outputs: { [result]: shape },
    vectors: width === 4 ? [...Object.keys(inputs), result] : [],
    sizes: { size: size / width },
  });
}

/** SaneGelu (kernel.ts). */
export const gelu = (backend: WebGPUBackend, { x }: { x: tf.TensorInfo }) =>
  each(backend, 'SaneGelu', { x }, 'y', 'x[i] * distribution');

/** SaneGeluGrad (kernel.ts). */
export const geluGrad = (backend: WebGPUBackend, { dy, x }: Record<'dy' | 'x', tf.TensorInfo>) =>
  each(backend, 'SaneGeluGrad', { dy, x }, 'dx', 'dy[i] * (distribution + x[i] * density)');
