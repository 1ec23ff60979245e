/** A population's gradients by the operations of ops.ts, for architectures and devices without a kernel for them. */
import { tf } from '../tensor/tf.ts';
import type { ParameterSpec } from './architecture.ts';
import { applyDropout, type DropoutMasks } from './dropout.ts';
import {
  type LabelledImages,
  logitsOf,
  modelsAtOnce,
  type Network,
  type PopulationBuffers,
  type PopulationWeights,
  trainParts,
} from './population-models.ts';

/**
 * Losses [M], counts of right answers [M] and gradients, in the order of the architecture's parameters, as `populationGradients` has
 * them, for `atOnce` models at a time. The caller disposes of them.
 */
export function composedGradients(
  network: Network,
  weights: PopulationWeights,
  buffers: PopulationBuffers,
  { images, labels }: LabelledImages,
  order: tf.Tensor2D,
  dropout?: DropoutMasks,
  atOnce = modelsAtOnce(network, order.shape[1]),
): tf.Tensor[] {
  const { parameters } = network.architecture;
  return tf.tidy(() => {
    const parts = trainParts(weights, buffers, atOnce, (part) => {
      const own = tf.slice(order, part.start, part.models).reshape<tf.Tensor1D>([-1]);
      const [x, y] = [tf.gather(images, own), tf.gather(labels, own)];
      const mask =
        dropout &&
        ((value: tf.Tensor, layer: number) => applyDropout(dropout, part.start, layer, value, part.models));
      let correct: tf.Tensor | undefined;
      const loss = (...values: tf.Tensor[]) => {
        const named = new Map(parameters.map(({ name }, i) => [name, values[i] as tf.Tensor]));
        const logits = logitsOf(network, { ...part, weights: named }, x, { training: true, dropout: mask });
        // Kept, as what is computed beside the loss would be disposed of with the forward pass.
        correct = tf.keep(countCorrect(logits, y));
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
      return [value, correct as tf.Tensor, ...gradients];
    });
    const results = ['loss', 'correct', ...parameters].map((_, i) =>
      tf.concat(parts.map((part) => part[i] as tf.Tensor)),
    );
    tf.dispose(parts.map(([, correct]) => correct as tf.Tensor));
    return results;
  });
}

/** Summed cross-entropy [models] of the logits [models, B, classes]; of labels [B], for all models, or [models * B]. */
export function crossEntropy(logits: tf.Tensor3D, labels: tf.Tensor1D): tf.Tensor1D {
  const [, batch, classes] = logits.shape;
  const right = tf.oneHot(labels, classes).reshape([-1, batch, classes]);
  return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), right), [1, 2]));
}

/** How many images [models] the logits [models, B, classes] get right; labels as for `crossEntropy`. */
export function countCorrect(logits: tf.Tensor3D, labels: tf.Tensor1D): tf.Tensor1D {
  const [, batch] = logits.shape;
  return tf.sum(tf.cast(tf.equal(tf.argMax(logits, 2), labels.reshape([-1, batch])), 'float32'), 1);
}
