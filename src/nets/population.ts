/**
 * Many networks of one architecture at once. Weights and buffers have a leading model axis: [M, ...shape of the parameter].
 * Every number of a model is what it would be if the model were alone.
 */
import { hasKernel, runKernel } from '../engine/kernel.ts';
import { tf } from '../engine/tf.ts';
import { applyDropout, type DropoutMasks } from './dropout.ts';
import { forward, type NamedTensors } from './forward.ts';
import { kernelLayers, kernelWeights } from './population-chain.ts';
import {
  evaluateEach,
  type Network,
  type PopulationBuffers,
  type PopulationWeights,
  trainEach,
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
    : tf.tidy(() => {
        const orders = tf.unstack(order) as tf.Tensor1D[];
        const models = trainEach(weights, buffers, (model, statistics, m) => {
          const x = tf.gather(images, orders[m] as tf.Tensor1D);
          const y = tf.gather(labels, orders[m] as tf.Tensor1D);
          const mask =
            dropout && ((value: tf.Tensor, layer: number) => applyDropout(dropout, m, layer, value));
          const loss = (...values: tf.Tensor[]) => {
            const named = new Map(names.map((name, i) => [name, values[i] as tf.Tensor]));
            const options = { training: true, dropout: mask };
            const logits = forward(architecture, named, statistics, x, activation, options);
            return tf.div(crossEntropy(logits, y), y.size) as tf.Scalar;
          };
          const parameters = names.map((name) => model.get(name) as tf.Tensor);
          const { value, grads } = tf.valueAndGrads(loss)(parameters);
          return [value, ...grads];
        });
        return ['loss', ...names].map((_, i) => tf.stack(models.map((model) => model[i] as tf.Tensor)));
      });
  return {
    losses: losses as tf.Tensor1D,
    gradients: Object.fromEntries(names.map((name, i) => [name, gradients[i] as tf.Tensor])),
  };
}

/**
 * Forward passes of each model on its own batch, the images that `order` [M, B], int32, says, after which the running
 * statistics in `buffers` are nearer to those of the batch; nothing else changes.
 */
export function conditionPopulation(
  { architecture, activation }: Network,
  weights: PopulationWeights,
  buffers: PopulationBuffers,
  images: tf.Tensor4D,
  order: tf.Tensor2D,
): void {
  tf.tidy(() => {
    const orders = tf.unstack(order) as tf.Tensor1D[];
    trainEach(weights, buffers, (model, statistics, m) => {
      const x = tf.gather(images, orders[m] as tf.Tensor1D);
      tf.tidy(() => forward(architecture, model, statistics, x, activation, { training: true }));
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
            const y = tf.slice(labels, start, logits.shape[0]);
            const right = tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), y), 'float32'));
            return tf.stack([crossEntropy(logits, y), right]);
          });
          const means = scores.map((parts) => tf.div(tf.addN(parts), labels.size));
          return tf.unstack(tf.stack(means), 1);
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
    return tf.stack(models.map((parts) => tf.concat(parts))) as tf.Tensor3D;
  });
}

/** Summed cross-entropy of the logits [B, classes]. */
function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const picked = tf.mul(tf.logSoftmax(logits), tf.oneHot(labels, logits.shape[1]));
  return tf.neg(tf.sum(picked)) as tf.Scalar;
}
