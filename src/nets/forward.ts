import { batchNorm, conv2d, conv2dEach, gelu, linear, linearEach, maxPool } from '../tensor/ops.ts';
import { tf } from '../tensor/tf.ts';
import type { Activation, Architecture, Layer } from './architecture.ts';

const activations: Record<Activation, (x: tf.Tensor) => tf.Tensor> = {
  tanh: (x) => tf.tanh(x),
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  gelu,
};

/** Tensors by the name of a parameter or buffer, in PyTorch's shapes. */
export type NamedTensors = ReadonlyMap<string, tf.Tensor>;

export interface ForwardOptions {
  /**
   * Whether batch normalisation takes the batch's own statistics and brings the running ones, which are then tf.Variables,
   * nearer to them; else the running ones normalise.
   */
  training: boolean;
  /**
   * Applied where the architecture has dropout; hears how many layers with weights were computed before, less one. Without it
   * nothing is dropped.
   */
  dropout?: ((x: tf.Tensor, layer: number) => tf.Tensor) | undefined;
  /** Whether weights and buffers are those of many models, with a leading axis, and the images theirs, one model's after the other's. */
  each?: boolean;
}

/** The network's logits [B, classes] for images [B, H, W, C], which are normalised. Call inside tf.tidy. */
export function forward(
  { name: architecture, layers }: Pick<Architecture, 'name' | 'layers'>,
  weights: NamedTensors,
  buffers: NamedTensors,
  images: tf.Tensor4D,
  activation: Activation,
  { training, dropout, each = false }: ForwardOptions,
): tf.Tensor2D {
  const get = <T extends tf.Tensor>(tensors: NamedTensors, name: string): T => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`${architecture}: nothing is given for ${name}`);
    return tensor as T;
  };
  let weighted = -1;

  const apply = (layer: Plain, x: tf.Tensor): tf.Tensor => {
    if ('inputs' in layer) weighted++;
    switch (layer.kind) {
      case 'conv2d': {
        const { stride = 1, padding = 0, bias = true } = layer;
        const options = { stride, padding, inputGradient: x !== images };
        const filters = get(weights, `${layer.name}.weight`);
        const biases = bias ? get(weights, `${layer.name}.bias`) : undefined;
        const images4d = x as tf.Tensor4D;
        return each
          ? conv2dEach(images4d, filters as tf.Tensor5D, biases as tf.Tensor2D | undefined, options)
          : conv2d(images4d, filters as tf.Tensor4D, biases as tf.Tensor1D | undefined, options);
      }
      case 'linear': {
        const [weight, bias] = ['weight', 'bias'].map((part) => get(weights, `${layer.name}.${part}`));
        return each
          ? linearEach(x as tf.Tensor2D, weight as tf.Tensor3D, bias as tf.Tensor2D)
          : linear(x, weight as tf.Tensor2D, bias as tf.Tensor1D);
      }
      case 'max-pool':
        return maxPool(x as tf.Tensor4D, layer.size);
      case 'average-pool':
        return averagePool(x as tf.Tensor4D, layer.size ?? 2);
      case 'global-average-pool':
        return tf.mean(x, [1, 2]);
      case 'activation':
        return activations[activation](x);
      case 'dropout':
        return dropout ? dropout(x, weighted) : x;
      case 'flatten':
        // PyTorch flattens channels first, and the weights of the next layer are in that order.
        return tf.transpose(x, [0, 3, 1, 2]).reshape([x.shape[0] as number, -1]);
      case 'concatenate':
        return tf.concat([x, run(layer.branch, x)], -1);
    }
  };

  const normalize = (name: string, x: tf.Tensor, after: After): tf.Tensor => {
    const [gain, bias] = ['weight', 'bias'].map((part) => get<tf.Tensor1D>(weights, `${name}.${part}`));
    const [mean, variance] = ['running_mean', 'running_var'].map((part) => get(buffers, `${name}.${part}`));
    const running = { mean, variance } as Record<'mean' | 'variance', tf.Tensor>;
    return batchNorm(x as tf.Tensor4D, gain as tf.Tensor1D, bias as tf.Tensor1D, running, {
      ...{ training, relu: after.relu },
      residual: after.residual as tf.Tensor4D | undefined,
    });
  };

  /** The layers one after the other, then what comes `after`, which a normalisation does in the same pass. */
  const run = (layers: readonly Layer[], start: tf.Tensor, after: After = { relu: false }): tf.Tensor => {
    let x = start;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i] as Layer;
      if (layer.kind !== 'batch-norm' && layer.kind !== 'residual') {
        x = apply(layer, x);
        continue;
      }
      if (layer.kind === 'batch-norm' && i === layers.length - 1) return normalize(layer.name, x, after);
      const relu = activation === 'relu' && layers[i + 1]?.kind === 'activation';
      if (layer.kind === 'batch-norm') x = normalize(layer.name, x, { relu });
      else x = run(layer.branch, x, { residual: run(layer.shortcut, x), relu });
      if (relu) i++;
    }
    if (after.residual) x = tf.add(x, after.residual);
    return after.relu ? tf.relu(x) : x;
  };

  return run(layers, images) as tf.Tensor2D;
}

type Plain = Exclude<Layer, { kind: 'batch-norm' } | { kind: 'residual' }>;

/** What is done with the numbers that layers give: a sum, then perhaps max(0, .). */
interface After {
  residual?: tf.Tensor;
  relu: boolean;
}

/** Mean of squares of side `size` that do not overlap; rows and columns that fill no square are dropped. */
function averagePool(x: tf.Tensor4D, size: number): tf.Tensor {
  const [batch, height, width, channels] = x.shape;
  const [rows, columns] = [Math.floor(height / size), Math.floor(width / size)];
  const whole = tf.slice(x, 0, [batch, rows * size, columns * size, channels]);
  return tf
    .mean(whole.reshape([batch * rows, size, columns, size, channels]), [1, 3])
    .reshape([batch, rows, columns, channels]);
}
