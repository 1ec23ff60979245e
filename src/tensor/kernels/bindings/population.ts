/** The kernels of populations of networks. */
import type { tf } from '../../tf.ts';
import type { Attributes, Inputs, NativeBackend, NativeKernel, NativeKernels } from '../kernel.ts';

/** Filters and biases of the layers, `w0`, `b0`, `w1` and so on. */
function parametersOf(inputs: Inputs): tf.TensorInfo[] {
  const parameters: tf.TensorInfo[] = [];
  for (let i = 0; inputs[`w${i}`]; i++) {
    parameters.push(inputs[`w${i}`] as tf.TensorInfo, inputs[`b${i}`] as tf.TensorInfo);
  }
  return parameters;
}

/** Where they begin; addresses are exact in float64. */
const addresses = (backend: NativeBackend, tensors: tf.TensorInfo[]) =>
  Float64Array.from(tensors, (tensor) => backend.address(tensor));

const numbers = (attributes: Attributes, name: string) => attributes[name] as readonly number[];

const gradients: NativeKernel = {
  accepts: () => true,
  run(inputs, backend, attributes) {
    const { images, labels, order } = inputs as Record<'images' | 'labels' | 'order', tf.TensorInfo>;
    const [models, batch] = order.shape as [number, number];
    const parameters = parametersOf(inputs);
    const [losses, correct] = [backend.allocate([models]), backend.allocate([models])];
    const results = parameters.map(({ shape }) => backend.allocate(shape));
    const rates = numbers(attributes, 'dropout');
    backend.library.population_gradients(
      ...([Int32Array.from(numbers(attributes, 'layers')), parameters.length / 2, models, batch] as const),
      ...([backend.address(images), backend.address(labels), backend.address(order)] as const),
      ...([addresses(backend, parameters), rates.length > 0 ? Float32Array.from(rates) : null] as const),
      ...([Int32Array.from(numbers(attributes, 'seeds')), attributes.start as number] as const),
      ...([backend.address(losses), backend.address(correct), addresses(backend, results)] as const),
    );
    return [losses, correct, ...results];
  },
};

const scores: NativeKernel = {
  accepts: () => true,
  run(inputs, backend, attributes) {
    const { images, labels } = inputs as Record<'images' | 'labels', tf.TensorInfo>;
    const parameters = parametersOf(inputs);
    const models = parameters[0]?.shape[0] as number;
    const [losses, accuracies] = [backend.allocate([models]), backend.allocate([models])];
    backend.library.population_scores(
      ...([Int32Array.from(numbers(attributes, 'layers')), parameters.length / 2, models] as const),
      ...([labels.shape[0] as number, backend.address(images), backend.address(labels)] as const),
      ...([addresses(backend, parameters), backend.address(losses), backend.address(accuracies)] as const),
    );
    return [losses, accuracies];
  },
};

const logits: NativeKernel = {
  run(inputs, backend, attributes) {
    const { images } = inputs as Record<'images', tf.TensorInfo>;
    const parameters = parametersOf(inputs);
    const [models, count] = [parameters[0]?.shape[0], images.shape[0]] as [number, number];
    const result = backend.allocate([models, count, attributes.classes as number]);
    backend.library.population_logits(
      ...([Int32Array.from(numbers(attributes, 'layers')), parameters.length / 2, models] as const),
      ...([count, backend.address(images), addresses(backend, parameters)] as const),
      backend.address(result),
    );
    return result;
  },
};

const logitsGrad: NativeKernel = {
  run(inputs, backend, attributes) {
    const { dy, images } = inputs as Record<'dy' | 'images', tf.TensorInfo>;
    const parameters = parametersOf(inputs);
    const [models, count] = dy.shape as [number, number];
    const results = parameters.map(({ shape }) => backend.allocate(shape));
    backend.library.population_logits_grad(
      ...([Int32Array.from(numbers(attributes, 'layers')), parameters.length / 2, models] as const),
      ...([count, backend.address(images), addresses(backend, parameters)] as const),
      ...([backend.address(dy), addresses(backend, results)] as const),
    );
    return results as [tf.TensorInfo, ...tf.TensorInfo[]];
  },
};

export const populations: NativeKernels = {
  SanePopulationGradients: gradients,
  SanePopulationScores: scores,
  SanePopulationLogits: logits,
  SanePopulationLogitsGrad: logitsGrad,
};
