/** SaneAdamW and SaneSgd (tensor/kernel.ts): one call for all parameters. */
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';
import type { Attributes, Inputs, NativeBackend, NativeKernel, NativeKernels } from '../kernel.ts';

const numbersOf = (attributes: Attributes, name: string) => attributes[name] as readonly number[];

/**
 * Where the tensors of each parameter are, the new ones last, and the rates of each model, as the C functions take them. The inputs are a
 * parameter, its gradient and so many averages, of one parameter after the other.
 */
function stepOf(inputs: Inputs, backend: NativeBackend, attributes: Attributes, averages: number) {
  const models = Math.max(
    ...['learningRate', 'weightDecay'].map((name) => numbersOf(attributes, name).length),
  );
  const forEachModel = (name: string) => {
    const numbers = numbersOf(attributes, name);
    return Float64Array.from({ length: models }, (_, i) => numbers[numbers.length === 1 ? 0 : i] as number);
  };
  const tensors = Object.values(inputs) as tf.TensorInfo[];
  const outputs: tf.TensorInfo[] = [];
  const addresses: number[] = [];
  const sizes: number[] = [];
  for (let first = 0; first < tensors.length; first += 2 + averages) {
    const old = tensors.slice(first, first + 2 + averages);
    const { shape } = old[0] as tf.TensorInfo;
    // In the place of the old numbers, unless they are another tensor's too.
    const next = old
      .filter((_, i) => i !== 1)
      .map(({ dataId }) =>
        backend.refCount(dataId) === 1
          ? backend.share({ dataId, shape, dtype: 'float32' })
          : backend.allocate(shape),
      );
    for (const tensor of [...old, ...next]) addresses.push(backend.address(tensor));
    sizes.push(sizeOf(shape));
    outputs.push(...next);
  }
  return {
    outputs: outputs as [tf.TensorInfo, ...tf.TensorInfo[]],
    arguments: [
      ...([sizes.length, models, Float64Array.from(addresses), Int32Array.from(sizes)] as const),
      Int32Array.from(numbersOf(attributes, 'decayed')),
      ...([forEachModel('learningRate'), forEachModel('weightDecay')] as const),
    ] as const,
  };
}

const adamW: NativeKernel = {
  run(inputs, backend, attributes) {
    const step = stepOf(inputs, backend, attributes, 2);
    const rate = (name: string) => attributes[name] as number;
    backend.library.adam(
      ...step.arguments,
      ...([attributes.coupled ? 1 : 0, rate('beta1'), rate('beta2'), rate('epsilon')] as const),
      ...([rate('correction1'), rate('correction2')] as const),
    );
    return step.outputs;
  },
};

const sgd: NativeKernel = {
  run(inputs, backend, attributes) {
    const step = stepOf(inputs, backend, attributes, 1);
    backend.library.sgd(...step.arguments, attributes.momentum as number);
    return step.outputs;
  },
};

export const optimizers: NativeKernels = { SaneAdamW: adamW, SaneSgd: sgd };
