import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import { tf } from '../../tf.ts';
import { reshaped } from './program.ts';

interface Inputs {
  x: tf.TensorInfo;
  w: tf.TensorInfo;
  b?: tf.TensorInfo;
}

/** SaneLinear (kernel.ts): the package's matrix product, which can add a bias in the same pass. */
export function linear(backend: WebGPUBackend, { x, w, b }: Inputs): tf.TensorInfo {
  const [out, width] = w.shape as [number, number];
  const y = tf.getKernel('_FusedMatMul', 'webgpu').kernelFunc({
    inputs: { a: reshaped(x, [sizeOf(x.shape) / width, width]), b: w, ...(b ? { bias: b } : {}) },
    backend,
    attrs: { transposeA: false, transposeB: true, activation: 'linear' },
  });
  return reshaped(y as tf.TensorInfo, [...x.shape.slice(0, -1), out]);
}
