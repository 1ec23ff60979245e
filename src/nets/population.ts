/**
 * Many networks of one architecture at once. Weights and buffers have a leading model axis: [M, ...shape of the parameter].
 * Every number of a model is what it would be if the model were alone.
 */
import { hasKernel, runKernel } from '../engine/kernel.ts';
import { tf } from '../engine/tf.ts';
import type { ParameterSpec } from './architecture.ts';
import { applyDropout, type DropoutMasks } from './dropout.ts';
import type { NamedTensors } from './forward.ts';
import { kernelLayers, kernelWeights } from './population-chain.ts';
import {
  evaluateParts,
  logitsOf,
  type Network,
  type PopulationBuffers,
  type PopulationWeights,
  trainParts,
} from './population-models.ts';

/** Images [N, H, W, C], normalised, and their labels [N], int32, on the device. */
export interface LabelledImages {
  images: tf.Tensor4D;
  labels: tf.Tensor1D;
}

export type { Network, PopulationBuffers, PopulationWeights };

/**
 * Cross-entropy [M] of each model, the mean over its own batch, and its gradient by parameter name. `order` [M, B], int32, says
 * which images are in each model's batch. Running statistics in `buffers` are brought nearer to those of the batch. The
 * caller disposes of both.
 */
export function populationGradients(
  { architecture, activation }: Network,
  weights: PopulationWeights,
  buffers: PopulationBuffers,
  { images, labels }: LabelledImages,
  order: tf.Tensor2D,
  dropout?: DropoutMasks,
): { losses: tf.Tensor1D; gradients: tf.NamedTensorMap } {
  const names = architecture.parameters.map(({ name }) => name);
  const layers = kernelLayers(architecture, activation, dropout !== undefined);
  const useKernel = layers && hasKernel('SanePopulationGradients');
  const [losses, ...gradients] = useKernel
    ? runKernel(
        'SanePopulationGradients',
        { images, labels, order, ...kernelWeights(architecture, weights) },
        { layers, dropout: dropout?.rates ?? [], seeds: dropout?.seeds ?? [], start: dropout?.start ?? 0 },
      )
    : composedGradients({ architecture, activation }, weights, buffers, { images, labels }, order, dropout);
  return {
    losses: losses as tf.Tensor1D,
    gradients: Object.fromEntries(names.map((name, i) => [name, gradients[i] as tf.Tensor])),
  };
}

/** The losses and the gradients in the order of the parameters, of plain operations. */
function composedGradients(
  network: Network,
  weights: PopulationWeights,
  buffers: PopulationBuffers,
  { images, labels }: LabelledImages,
  order: tf.Tensor2D,
  dropout: DropoutMasks | undefined,
): tf.Tensor[] {
  const { parameters } = network.architecture;
  return tf.tidy(() => {
    const parts = trainParts(network, weights, buffers, order.shape[1], (part) => {
      const own = tf.slice(order, part.start, part.models).reshape<tf.Tensor1D>([-1]);
      const [x, y] = [tf.gather(images, own), tf.gather(labels, own)];
      const mask =
        dropout &&
        ((value: tf.Tensor, layer: number) => applyDropout(dropout, part.start, layer, value, part.models));
      const loss = (...values: tf.Tensor[]) => {
        const named = new Map(parameters.map(({ name }, i) => [name, values[i] as tf.Tensor]));
        const logits = logitsOf(network, { ...part, weights: named }, x, { training: true, dropout: mask });
        return tf.div(crossEntropy(logits, y), order.shape[1]);
      };
      // No model's loss depends on another's weights: the gradient of their sum is each one's own.
      const given = parameters.map(({ name }) => part.weights.get(name) as tf.Tensor);
      const { value, grads } = tf.valueAndGrads(loss as (...values: tf.Tensor[]) => tf.Scalar)(
        given,
        tf.ones([part.models]) as tf.Scalar,
      );
      const gradients = grads.map((gradient, i) =>
        gradient.reshape([part.models, ...(parameters[i] as ParameterSpec).shape]),
      );
      return [value, ...gradients];
    });
    return ['loss', ...parameters].map((_, i) => tf.concat(parts.map((part) => part[i] as tf.Tensor)));
  });
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
    trainParts(network, weights, buffers, order.shape[1], (part) => {
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
          const scores = evaluateParts(network, weights, buffers, images, (logits, start) => {
            const y = tf.slice(labels, start, logits.shape[1]);
            const right = tf.sum(tf.cast(tf.equal(tf.argMax(logits, 2), y), 'float32'), 1);
            return tf.stack([crossEntropy(logits, y), right]);
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
    const parts = evaluateParts(network, weights, buffers, images, (logits) => tf.clone(logits));
    return tf.concat(parts.map((batches) => tf.concat(batches, 1))) as tf.Tensor3D;
  });
}

/** Summed cross-entropy [models] of the logits [models, B, classes]; of labels [B], for all models, or [models * B]. */
function crossEntropy(logits: tf.Tensor3D, labels: tf.Tensor1D): tf.Tensor1D {
  const [, batch, classes] = logits.shape;
  const right = tf.oneHot(labels, classes).reshape([-1, batch, classes]);
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), right), [1, 2]));
}
