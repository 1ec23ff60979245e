import type { tf } from '../tf.ts';
import type { WasmKernel } from './kernel.ts';

/** tfjs's Identity without its copy: tensors never change, so that both may lie in the same memory, as on other back ends. */
export const identity: WasmKernel = (inputs, backend) => {
  const { dataId, shape, dtype } = inputs.x as tf.TensorInfo;
  backend.incRef(dataId);
  return { dataId, shape, dtype };
};
