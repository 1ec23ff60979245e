import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { tf } from '../tf.ts';
import { reshaped, sizeOf } from './program.ts';
import { sumRows } from './sum-rows.ts';

type Names = 'x' | 'w';

const rowsOf = ({ shape }: tf.TensorInfo) => sizeOf(shape.slice(0, -1));

/** The package's matrix product of tensors as matrices, which adds a bias in the same pass. */
function product(
  backend: WebGPUBackend,
  { a, b, bias }: { a: tf.TensorInfo; b: tf.TensorInfo; bias?: tf.TensorInfo | undefined },
  transpose: { transposeA?: boolean; transposeB?: boolean },
  shape: number[],
): tf.TensorInfo {
  const matrix = (x: tf.TensorInfo) => reshaped(x, [rowsOf(x), x.shape.at(-1) as number]);
  const y = tf.getKernel('_FusedMatMul', 'webgpu').kernelFunc({
    inputs: { a: matrix(a), b: matrix(b), ...(bias ? { bias } : {}) },
    backend,
    attrs: { transposeA: false, transposeB: false, activation: 'linear', ...transpose },
  });
  return reshaped(y as tf.TensorInfo, shape);
}

/** SaneLinear (kernel.ts). */
export function linear(
  backend: WebGPUBackend,
  { x, w, b }: Record<Names, tf.TensorInfo> & { b?: tf.TensorInfo },
): tf.TensorInfo[] {
  const shape = [...x.shape.slice(0, -1), w.shape[0] as number];
  return [product(backend, { a: x, b: w, bias: b }, { transposeB: true }, shape)];
}

/** SaneLinearGrad (kernel.ts). */
export function linearGrad(
  backend: WebGPUBackend,
  { dy, x, w }: Record<Names | 'dy', tf.TensorInfo>,
  { bias }: { bias: boolean },
): tf.TensorInfo[] {
  const gradients = [
    product(backend, { a: dy, b: w }, {}, x.shape),
    product(backend, { a: dy, b: x }, { transposeA: true }, w.shape),
  ];
  if (!bias) return gradients;
  const [rows, width] = [rowsOf(dy), w.shape[0] as number];
  const sums = { name: 'SaneLinearGrad bias', inputs: { dy }, terms: { db: 'dy[at]' } };
  return [...gradients, ...sumRows(backend, { ...sums, rows, width })];
}
