/** What a population's networks answer, with gradients for their weights, whatever is made of the answers. */
import { differentiable } from '../tensor/differentiable.ts';
import { hasKernel, runKernel } from '../tensor/kernel.ts';
import { tf } from '../tensor/tf.ts';
import { kernelLayers, kernelWeights } from './population-chain.ts';
import {
  logitsOf,
  modelsAtOnce,
  type Network,
  type PopulationWeights,
  trainParts,
} from './population-models.ts';

/**
 * Logits [M, N, classes] of every model for the same images [N, H, W, C], without dropout, differentiable in the weights, each
 * [M, ...shape]. Of networks without batch normalisation. Call inside tf.tidy.
 */
export function differentiableLogits(
  network: Network,
  weights: PopulationWeights,
  images: tf.Tensor4D,
): tf.Tensor3D {
  const { architecture, activation } = network;
  const layers = kernelLayers(architecture, activation, false);
  if (layers && hasKernel('SanePopulationLogits')) {
    const { classes, parameters } = architecture;
    const given = parameters.map(({ name }) => weights.get(name) as tf.Tensor);
    return differentiable(
      given,
      () => {
        const inputs = { images, ...kernelWeights(architecture, weights) };
        const [value] = runKernel('SanePopulationLogits', inputs, { layers, classes });
        return { value: value as tf.Tensor, saved: [images, ...given] };
      },
      (dy, [images, ...saved]) => {
        const named = new Map(parameters.map(({ name }, i) => [name, saved[i] as tf.Tensor]));
        const inputs = { dy, images, ...kernelWeights(architecture, named) };
        return runKernel('SanePopulationLogitsGrad', inputs, { layers });
      },
    ) as tf.Tensor3D;
  }
  const parts = trainParts(weights, new Map(), modelsAtOnce(network, images.shape[0]), (part) =>
    logitsOf(network, part, tf.tile(images, [part.models, 1, 1, 1]), { training: false }),
  );
  return tf.concat(parts);
}
