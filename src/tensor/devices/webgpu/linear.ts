import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';
import type { Epilogue } from './epilogue.ts';
import { multiply } from './product.ts';
import { reshaped } from './program.ts';
import { sumRows } from './sum-rows.ts';

/** [..., width] as [rows, width]. */
const rowsOf = (x: tf.TensorInfo): tf.TensorInfo => {
  const width = x.shape.at(-1) as number;
  return reshaped(x, [sizeOf(x.shape) / width, width]);
};

/** x [..., in] times w [out, in] transposed, and the epilogue: its outputs, [..., out]. */
export function linearInto(
  backend: WebGPUBackend,
  x: tf.TensorInfo,
  w: tf.TensorInfo,
  epilogue: Epilogue = {},
): tf.TensorInfo[] {
  const outputs = multiply(backend, { matrix: rowsOf(x) }, { matrix: w, transposed: true }, epilogue);
  return outputs.map((y) => reshaped(y, [...x.shape.slice(0, -1), w.shape[0] as number]));
}

/** The gradients of x, in whose epilogue is what else becomes of it, and of w. */
export function linearGradInto(
  backend: WebGPUBackend,
  { dy, x, w }: Record<'dy' | 'x' | 'w', tf.TensorInfo>,
  epilogue: Epilogue = {},
): [dx: tf.TensorInfo, dw: tf.TensorInfo] {
  const rows = rowsOf(dy);
  const [dx] = multiply(backend, { matrix: rows }, { matrix: w }, epilogue) as [tf.TensorInfo];
  const [dw] = multiply(backend, { matrix: rows, transposed: true }, { matrix: rowsOf(x) }) as [
    tf.TensorInfo,
  ];
  return [reshaped(dx, x.shape), dw];
}

type Inputs = Record<'x' | 'w', tf.TensorInfo> & { b?: tf.TensorInfo };

/** SaneLinear (kernel.ts). */
export const linear = (backend: WebGPUBackend, { x, w, b }: Inputs): tf.TensorInfo[] =>
  linearInto(backend, x, w, { bias: b });

/** SaneLinearGrad (kernel.ts). */
export function linearGrad(
  backend: WebGPUBackend,
  inputs: Record<'dy' | 'x' | 'w', tf.TensorInfo>,
  { bias }: { bias: boolean },
): tf.TensorInfo[] {
  const gradients = linearGradInto(backend, inputs);
  if (!bias) return gradients;
  const [rows, width] = rowsOf(inputs.dy).shape as [number, number];
  const terms = { db: 'dy[at]' };
  return [
    ...gradients,
    ...sumRows(backend, { name: 'SaneLinearGrad sums', inputs: { dy: inputs.dy }, terms, rows, width }),
  ];
}
