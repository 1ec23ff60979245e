/** What our kernels of the wasm back end have in common. They compute on the wasm heap, through typed arrays or XNNPACK. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { tf } from '../tf.ts';

export type { BackendWasm };
export type Inputs = Record<string, tf.TensorInfo>;
export type Attributes = Record<string, unknown>;
export type WasmKernel = (
  inputs: Inputs,
  backend: BackendWasm,
  attributes: Attributes,
) => tf.TensorInfo | tf.TensorInfo[];

/** Makes `kernel` the back end's kernel of that name, in place of the one that tfjs may have brought. */
export function registerWasmKernel(kernelName: string, kernel: WasmKernel): void {
  const replaced = tf.getKernel(kernelName, 'wasm');
  if (replaced) tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    ...replaced, // with its set-up, which a kernel that leaves cases to the original depends on
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend, attrs }) => kernel(inputs as Inputs, backend as BackendWasm, attrs ?? {}),
  });
}

/** An output or scratch tensor on the heap, its content arbitrary. Scratch is given back by `backend.disposeData`. */
export function allocate(backend: BackendWasm, shape: number[]): tf.TensorInfo {
  return backend.makeOutput(shape, 'float32');
}

/**
 * The numbers of float32 tensors, as they lie on the heap. Taken after the last allocation: a heap that grows leaves
 * earlier arrays empty.
 */
export function views<T extends (tf.TensorInfo | undefined)[]>(backend: BackendWasm, ...tensors: T) {
  return tensors.map((tensor) => tensor && backend.typedArrayFromHeap(tensor)) as {
    [K in keyof T]: T[K] extends tf.TensorInfo ? Float32Array : Float32Array | undefined;
  };
}

/** Frees scratch tensors. */
export function free(backend: BackendWasm, ...scratch: tf.TensorInfo[]): void {
  for (const { dataId } of scratch) backend.disposeData(dataId);
}
