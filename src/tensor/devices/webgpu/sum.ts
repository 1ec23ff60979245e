import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { sizeOf } from '../../../base/shape.ts';
import { tf } from '../../tf.ts';
import { reshaped } from './program.ts';
import { sumAll } from './sum-all.ts';
import { sumRows } from './sum-rows.ts';

/**
 * Replaces the package's kernel of Sum where the first axes are added up, or all: its own transposes the tensor before, and has one
 * workgroup for each number of the result, which is one for all numbers of a large tensor where the result is a scalar.
 */
export function registerSum(backend: WebGPUBackend): void {
  const name = { kernelName: 'Sum', backendName: 'webgpu' };
  const sum = tf.getKernel(name.kernelName, name.backendName).kernelFunc;
  tf.unregisterKernel(name.kernelName, name.backendName);
  tf.registerKernel({
    ...name,
    kernelFunc: (given) => {
      const x = given.inputs.x as tf.TensorInfo;
      const { axis, keepDims } = given.attrs as unknown as { axis: number | number[]; keepDims: boolean };
      const axes = tf.util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
      const first = axes.length > 0 && axes.every((one, i) => one === i);
      const size = sizeOf(x.shape);
      if (!first || size === 0 || x.dtype !== 'float32') return sum(given);
      const rest = x.shape.slice(axes.length);
      const width = sizeOf(rest);
      const shape = keepDims ? [...axes.map(() => 1), ...rest] : rest;
      const all = axes.length === x.shape.length;
      const sums = all
        ? sumAll(backend, { name: 'Sum', inputs: { x }, term: 'x[i]', size })
        : sumRows(backend, {
            ...{ name: 'Sum rows', inputs: { x }, terms: { y: 'x[at]' } },
            ...{ rows: size / width, width },
          })[0];
      return reshaped(sums as tf.TensorInfo, shape);
    },
  });
}
