/**
 * Many networks of one architecture at once. Weights and buffers have a leading model axis: [M, ...shape of the parameter].
 * Every number of a model is what it would be if the model were alone.
 */
import { hasKernel, runKernel } from '../tensor/kernel.ts';
import { tf } from '../tensor/tf.ts';
import type { DropoutMasks } from './dropout.ts';
import type { NamedTensors } from './forward.ts';
import { kernelLayers, kernelWeights } from './population-chain.ts';
import { composedGradients, countCorrect, crossEntropy } from './population-composed.ts';
import {
  evaluateEach,
  type LabelledImages,
  logitsOf,
  modelsAtOnce,
  type Network,
  type PopulationBuffers,
  type PopulationWeights,
  trainParts,
} from './population-models.ts';

export type { LabelledImages, Network, PopulationBuffers, PopulationWeights };

/**
 * Cross-entropy [M] of each model, the mean over its own batch, how many images of its batch it gets right [M], and its gradient by
 * parameter name, all of one forward pass with dropout. `order` [M, B], int32, says which images are in each model's batch. Running
 * statistics in `buffers` are brought nearer to those of the batch. The caller disposes of all three.
 */
export function populationGradients(
  network: Network,
  weights: PopulationWeights,
  buffers: PopulationBuffers,
  { images, labels }: LabelledImages,
  order: tf.Tensor2D,
  dropout?: DropoutMasks,
): { losses: tf.Tensor1D; correct: tf.Tensor1D; gradients: tf.NamedTensorMap } {
  const { architecture, activation } = network;
  const names = architecture.parameters.map(({ name }) => name);
  const layers = kernelLayers(architecture, activation, dropout !== undefined);
  const useKernel = layers && hasKernel('SanePopulationGradients');
  const [losses, correct, ...gradients] = useKernel
    ? runKernel(
        'SanePopulationGradients',
        { images, labels, order, ...kernelWeights(architecture, weights) },
        { layers, dropout: dropout?.rates ?? [], seeds: dropout?.seeds ?? [], start: dropout?.start ?? 0 },
      )
    : composedGradients(network, weights, buffers, { images, labels }, order, dropout);
  return {
    losses: losses as tf.Tensor1D,
    correct: correct as tf.Tensor1D,
    gradients: Object.fromEntries(names.map((name, i) => [name, gradients[i] as tf.Tensor])),
  };
}

/**
 * Forward passes of each model on its own batch, the images that `order` [M, B], int32, says, after which the running
 * statistics in `buffers` are nearer to those of the batch; nothing else changes.
 */
export function conditionPopulation(
  network: Network,
  weights: PopulationWeights,
  buffers: PopulationBuffers,
  images: tf.Tensor4D,
  order: tf.Tensor2D,
): void {
  tf.tidy(() => {
    trainParts(weights, buffers, modelsAtOnce(network, order.shape[1]), (part) => {
      const own = tf.slice(order, part.start, part.models).reshape<tf.Tensor1D>([-1]);
      tf.tidy(() => logitsOf(network, part, tf.gather(images, own), { training: true }));
    });
  });
}

/** Mean cross-entropy and accuracy (a fraction) of every model on all of the images, both [M], without dropout. */
export async function populationScores(
  network: Network,
  weights: PopulationWeights,
  buffers: NamedTensors,
  { images, labels }: LabelledImages,
): Promise<{ losses: Float32Array; accuracies: Float32Array }> {
  const { architecture, activation } = network;
  const layers = kernelLayers(architecture, activation, false);
  const [losses, accuracies] =
    layers && hasKernel('SanePopulationScores')
      ? runKernel(
          'SanePopulationScores',
          { images, labels, ...kernelWeights(architecture, weights) },
          { layers },
        )
      : tf.tidy(() => {
          const scores = evaluateEach(network, weights, buffers, images, (logits, start) => {
            const y = tf.slice(labels, start, logits.shape[1]);
            return tf.stack([crossEntropy(logits, y), countCorrect(logits, y)]);
          });
          const means = scores.map((batches) => tf.div(tf.addN(batches), labels.size));
          return tf.unstack(tf.concat(means, 1));
        });
  const result = {
    losses: (await (losses as tf.Tensor).data()) as Float32Array,
    accuracies: (await (accuracies as tf.Tensor).data()) as Float32Array,
  };
  tf.dispose([losses as tf.Tensor, accuracies as tf.Tensor]);
  return result;
}

/** Logits [M, N, classes] of every model for images [N, H, W, C], without dropout. The caller disposes of them. */
export function populationLogits(
  network: Network,
  weights: PopulationWeights,
  buffers: NamedTensors,
  images: tf.Tensor4D,
): tf.Tensor3D {
  return tf.tidy(() => {
    const models = evaluateEach(network, weights, buffers, images, (logits) => tf.clone(logits));
    return tf.concat(models.map((batches) => tf.concat(batches, 1))) as tf.Tensor3D;
  });
}
