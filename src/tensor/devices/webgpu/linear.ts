import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';
import type { Epilogue } from './epilogue.ts';
import { type Factors, multiply, multiplyAll } from './product.ts';
import { reshaped } from './program.ts';
import { sumRows } from './sum-rows.ts';

/** [..., width] as [rows, width]. */
function rowsOf(x: tf.TensorInfo): tf.TensorInfo {
  const width = x.shape.at(-1) as number;
  return reshaped(x, [sizeOf(x.shape) / width, width]);
}

/** x [..., in] times w [out, in] transposed, and the epilogue: its outputs, [..., out]. */
export function linearInto(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  w: tf.TensorInfo,
  epilogue: Epilogue = {},
): tf.TensorInfo[] {
  const outputs = multiply(backend, [{ matrix: rowsOf(x) }, { matrix: w, transposed: true }], epilogue);
  return outputs.map((y) => reshaped(y, [...x.shape.slice(0, -1), w.shape[0] as number]));
}

/** Of the gradient of x, as rows. */
export const inputGradient = (dy: tf.TensorInfo, w: tf.TensorInfo): Factors => [
  { matrix: rowsOf(dy) },
  { matrix: w },
];

/** Of the gradient of w. */
export const weightGradient = (dy: tf.TensorInfo, x: tf.TensorInfo): Factors => [
  { matrix: rowsOf(dy), transposed: true },
  { matrix: rowsOf(x) },
];

type Inputs = Record<'x' | 'w', tf.TensorInfo> & { b?: tf.TensorInfo };

/** SaneLinear (kernel.ts). */
export const linear = (backend: WebGPUBackend, { x, w, b }: Inputs): tf.TensorInfo[] =>
  linearInto(backend, x, w, b ? { bias: b } : {});

/** SaneLinearGrad (kernel.ts). */
export function linearGrad(
  backend: WebGPUBackend,
  { dy, x, w }: Record<'dy' | 'x' | 'w', tf.TensorInfo>,
  { bias }: { bias: boolean },
): tf.TensorInfo[] {
  const products = multiplyAll(backend, [inputGradient(dy, w), weightGradient(dy, x)]);
  const [dx, dw] = products as [tf.TensorInfo, tf.TensorInfo];
  const [rows, width] = rowsOf(dy).shape as [number, number];
  const sums = { name: 'SaneLinearGrad sums', inputs: { dy }, terms: { db: 'dy[at]' }, rows, width };
  return [reshaped(dx, x.shape), dw, ...(bias ? sumRows(backend, sums) : [])];
}
