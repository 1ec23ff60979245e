import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { tf } from '../../tf.ts';

/**
 * Replaces the package's kernel of AddN, which binds all tensors at once and fails if they are more than a shader may have,
 * by one that adds as many at a time as the device takes.
 */
export function registerAddN(backend: WebGPUBackend): void {
  const name = { kernelName: 'AddN', backendName: 'webgpu' };
  const add = tf.getKernel(name.kernelName, name.backendName).kernelFunc;
  // One is the result's.
  const most = backend.device.limits.maxStorageBuffersPerShaderStage - 1;
  tf.unregisterKernel(name.kernelName, name.backendName);
  tf.registerKernel({
    ...name,
    kernelFunc: ({ inputs }) => {
      const rest = inputs as unknown as tf.TensorInfo[];
      let sum: tf.TensorInfo | undefined;
      for (let i = 0; i < rest.length; ) {
        const part = rest.slice(i, i + most - (sum ? 1 : 0));
        const added = [...(sum ? [sum] : []), ...part];
        const next = add({ inputs: added as never, backend, attrs: {} }) as tf.TensorInfo;
        if (sum) backend.disposeData(sum.dataId);
        sum = next;
        i += part.length;
      }
      return sum as tf.TensorInfo;
    },
  });
}
