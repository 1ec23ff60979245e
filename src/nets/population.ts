/**
 * Many networks of one architecture at once. Weights have a leading model axis: [M, ...shape of the parameter]. Every number
 * of a model is what it would be if the model were alone.
 */
import { hasKernel, runKernel } from '../engine/kernel.ts';
import { tf } from '../engine/tf.ts';
import type { Activation, Architecture } from './architecture.ts';
import { applyDropout, type DropoutMasks } from './dropout.ts';
import { forward } from './forward.ts';

/** Images [N, H, W, C], normalised, and their labels [N], int32, on the device. */
export interface LabelledImages {
  images: tf.Tensor4D;
  labels: tf.Tensor1D;
}

/** By parameter name, each [M, ...]. */
export type PopulationWeights = ReadonlyMap<string, tf.Tensor>;

/** Images per forward pass where no kernel evaluates the whole set: large, but bounded in memory. */
const evaluationBatch = 500;

/**
 * Cross-entropy [M] of each model, the mean over its own batch, and its gradient by parameter name. `order` [M, B], int32, says
 * which images are in each model's batch. The caller disposes of both.
 */
export function populationGradients(
  { architecture, activation }: { architecture: Architecture; activation: Activation },
  weights: PopulationWeights,
  { images, labels }: LabelledImages,
  order: tf.Tensor2D,
  dropout?: DropoutMasks,
): { losses: tf.Tensor1D; gradients: tf.NamedTensorMap } {
  const layers = kernelLayers(architecture, activation, dropout !== undefined);
  if (layers && hasKernel('SanePopulationGradients')) {
    const masks = { dropout: dropout?.rates ?? [], seeds: dropout?.seeds ?? [], start: dropout?.start ?? 0 };
    const inputs = { images, labels, order, ...kernelWeights(architecture, weights) };
    const [losses, ...gradients] = runKernel('SanePopulationGradients', inputs, { layers, ...masks });
    return {
      losses: losses as tf.Tensor1D,
      gradients: Object.fromEntries(
        architecture.parameters.map(({ name }, i) => [name, gradients[i] as tf.Tensor]),
      ),
    };
  }
  const [losses, ...gradients] = tf.tidy(() => {
    const orders = tf.unstack(order) as tf.Tensor1D[];
    const models = modelsOf(weights).map((model, m) => {
      const x = tf.gather(images, orders[m] as tf.Tensor1D);
      const y = tf.gather(labels, orders[m] as tf.Tensor1D);
      const mask = dropout && ((value: tf.Tensor, layer: number) => applyDropout(dropout, m, layer, value));
      const loss = (...values: tf.Tensor[]) => {
        const named = new Map([...model.keys()].map((name, i) => [name, values[i] as tf.Tensor]));
        const logits = forward(architecture, named, x, activation, mask);
        return tf.div(crossEntropy(logits, y), y.size) as tf.Scalar;
      };
      const { value, grads } = tf.valueAndGrads(loss)([...model.values()]);
      return [value, ...grads];
    });
    return (models[0] as tf.Tensor[]).map((_, i) => tf.stack(models.map((model) => model[i] as tf.Tensor)));
  });
  return {
    losses: losses as tf.Tensor1D,
    gradients: Object.fromEntries([...weights.keys()].map((name, i) => [name, gradients[i] as tf.Tensor])),
  };
}

/** Mean cross-entropy and accuracy (a fraction) of every model on all of the images, both [M], without dropout. */
export async function populationScores(
  { architecture, activation }: { architecture: Architecture; activation: Activation },
  weights: PopulationWeights,
  { images, labels }: LabelledImages,
): Promise<{ losses: Float32Array; accuracies: Float32Array }> {
  const layers = kernelLayers(architecture, activation, false);
  const [losses, accuracies] =
    layers && hasKernel('SanePopulationScores')
      ? runKernel(
          'SanePopulationScores',
          { images, labels, ...kernelWeights(architecture, weights) },
          { layers },
        )
      : tf.tidy(() => {
          const scores = modelsOf(weights).map((model) => {
            const network = (x: tf.Tensor4D) => forward(architecture, model, x, activation);
            return scoresOf(network, { images, labels });
          });
          return [0, 1].map((i) => tf.stack(scores.map((score) => score[i] as tf.Scalar)));
        });
  const result = {
    losses: (await (losses as tf.Tensor).data()) as Float32Array,
    accuracies: (await (accuracies as tf.Tensor).data()) as Float32Array,
  };
  tf.dispose([losses as tf.Tensor, accuracies as tf.Tensor]);
  return result;
}

/** Mean loss and accuracy of one network. */
function scoresOf(
  network: (x: tf.Tensor4D) => tf.Tensor2D,
  { images, labels }: LabelledImages,
): [tf.Scalar, tf.Scalar] {
  const count = labels.size;
  const parts: [tf.Scalar, tf.Scalar][] = [];
  for (let start = 0; start < count; start += evaluationBatch) {
    const length = Math.min(evaluationBatch, count - start);
    const part = tf.tidy(() => {
      const y = tf.slice(labels, start, length);
      const logits = network(tf.slice(images, start, length));
      return [crossEntropy(logits, y), tf.sum(tf.cast(tf.equal(tf.argMax(logits, 1), y), 'float32'))];
    });
    parts.push(part as [tf.Scalar, tf.Scalar]);
  }
  const mean = (i: 0 | 1) => tf.div(tf.addN(parts.map((part) => part[i])), count) as tf.Scalar;
  return [mean(0), mean(1)];
}

/** Summed cross-entropy of the logits [B, classes]. */
function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const picked = tf.mul(tf.logSoftmax(logits), tf.oneHot(labels, logits.shape[1]));
  return tf.neg(tf.sum(picked)) as tf.Scalar;
}

/** The weights of each model. */
function modelsOf(weights: PopulationWeights): Map<string, tf.Tensor>[] {
  const parts = [...weights].map(([name, tensor]) => [name, tf.unstack(tensor)] as const);
  const count = parts[0]?.[1].length ?? 0;
  return Array.from(
    { length: count },
    (_, m) => new Map(parts.map(([name, models]) => [name, models[m] as tf.Tensor])),
  );
}

/** Filters and biases under the kernel's names; every layer with parameters has both. */
function kernelWeights(
  architecture: Architecture,
  weights: PopulationWeights,
): Record<string, tf.Tensor | undefined> {
  return Object.fromEntries(
    architecture.parameters.map(({ name }, i) => [`${i % 2 ? 'b' : 'w'}${i >> 1}`, weights.get(name)]),
  );
}

const activationCodes: Record<Activation, number> = { tanh: 1, relu: 2, sigmoid: 3, gelu: 4 };

/** As many layers as the kernel has room for. */
const maxLayers = 32;

/**
 * The layers as the kernel wants them, nine numbers each: height, width and channels of the input, filters, their height and
 * width, and whether pooling, which activation and whether dropout follow, in this order. A dense layer is a convolution with
 * a filter as large as its input. Undefined for a network that is not such a chain.
 */
function kernelLayers(
  architecture: Architecture,
  activation: Activation,
  dropout: boolean,
): number[] | undefined {
  const layers: number[][] = [];
  let [height, width, channels] = architecture.input;
  // What may still follow the last layer with parameters; what comes out of order breaks the chain.
  let stage = 4;
  for (const layer of architecture.layers) {
    const last = layers.at(-1) as number[];
    switch (layer.kind) {
      case 'conv2d':
      case 'linear': {
        const [high, wide] = layer.kind === 'conv2d' ? [layer.kernel, layer.kernel] : [height, width];
        layers.push([height, width, channels, layer.outputs, high, wide, 0, 0, 0]);
        [height, width, channels] = [height - high + 1, width - wide + 1, layer.outputs];
        stage = 0;
        break;
      }
      case 'max-pool':
        if (stage >= 1) return undefined;
        last[6] = 1;
        [height, width] = [height >> 1, width >> 1];
        stage = 1;
        break;
      case 'activation':
        if (stage >= 2) return undefined;
        last[7] = activationCodes[activation];
        stage = 2;
        break;
      case 'dropout':
        if (stage >= 3) return undefined;
        last[8] = dropout ? 1 : 0;
        stage = 3;
        break;
    }
  }
  return layers.length <= maxLayers ? layers.flat() : undefined;
}
