/** What our kernels of the native and wasm back ends have in common. */
import { tf } from '../tf.ts';
import type { NativeBackend } from './backend.ts';

export type { NativeBackend };
export type Inputs = Record<string, tf.TensorInfo>;
export type Attributes = Record<string, unknown>;

export interface NativeKernel {
  /** The cases that it computes; tfjs's cpu kernel computes the others. Those of float32 inputs only, if not given. */
  accepts?(inputs: Inputs, attributes: Attributes): boolean;
  run(
    inputs: Inputs,
    backend: NativeBackend,
    attributes: Attributes,
  ): tf.TensorInfo | [tf.TensorInfo, ...tf.TensorInfo[]];
}

export type NativeKernels = Record<string, NativeKernel>;

/** Registers kernels with a back end of that name, in front of those copied from cpu. */
export function registerNativeKernels(backendName: string, kernels: NativeKernels): void {
  for (const [kernelName, { accepts = allFloat, run }] of Object.entries(kernels)) {
    const original: tf.KernelConfig | undefined = tf.getKernel(kernelName, backendName);
    if (original) tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) => {
        const attributes: Attributes = attrs ?? {};
        if (accepts(inputs as Inputs, attributes)) {
          return run(inputs as Inputs, backend as NativeBackend, attributes);
        }
        if (original) return original.kernelFunc({ inputs, backend, attrs: attrs as tf.NamedAttrMap });
        throw new Error(`${kernelName} on the device ${backendName} takes float32 tensors.`);
      },
    });
  }
}

/** Whether every input that is given holds float32 numbers. */
export function allFloat(inputs: Inputs): boolean {
  for (const name in inputs) {
    const input = inputs[name];
    if (input && input.dtype !== 'float32') return false;
  }
  return true;
}
