import {
  averagePoolWindows,
  batchNorm,
  conv2d,
  conv2dEach,
  gelu,
  layerNorm,
  linear,
  linearEach,
  maxPoolWindows,
} from '../tensor/ops.ts';
import { tf } from '../tensor/tf.ts';
import type { Activation, ActivationFunction, Architecture, Layer } from './architecture.ts';
import { windowsOf } from './shapes.ts';

const activations: Record<ActivationFunction, (x: tf.Tensor, slope: number | undefined) => tf.Tensor> = {
  tanh: (x) => tf.tanh(x),
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  gelu: (x) => gelu(x),
  relu6: (x) => tf.clipByValue(x, 0, 6),
  // Of tf.leakyRelu some back ends lack the gradient's kernel.
  'leaky-relu': (x, slope = 0.01) => tf.sub(tf.relu(x), tf.mul(tf.relu(tf.neg(x)), slope)),
  elu: (x) => tf.sub(tf.relu(x), tf.sub(1, tf.exp(tf.neg(tf.relu(tf.neg(x)))))),
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
  hardswish: (x) => tf.mul(x, tf.div(tf.clipByValue(tf.add(x, 3), 0, 6), 6)),
};

/** Tensors by the name of a parameter or buffer, in PyTorch's shapes. */
export type NamedTensors = ReadonlyMap<string, tf.Tensor>;

export interface ForwardOptions {
  /**
   * Whether batch normalisation takes the batch's own statistics and moves the running ones, which are then tf.Variables,
   * towards them; else the running ones normalise.
   */
  training: boolean;
  /**
   * Applied where the architecture has dropout; it is given how many layers with weights were computed before, less one. Without it
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
        const { name, stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = layer;
        const options = { stride, padding, dilation, groups, inputGradient: x !== images };
        const filters = get(weights, `${name}.weight`);
        const biases = bias ? get(weights, `${name}.bias`) : undefined;
        return each
          ? conv2dEach(asMap(x), filters as tf.Tensor5D, biases as tf.Tensor2D | undefined, options)
          : conv2d(asMap(x), filters as tf.Tensor4D, biases as tf.Tensor1D | undefined, options);
      }
      case 'linear': {
        const weight = get(weights, `${layer.name}.weight`);
        const bias = layer.bias === false ? undefined : get(weights, `${layer.name}.bias`);
        const rows = x.reshape<tf.Tensor2D>([x.shape[0] as number, -1]);
        return each
          ? linearEach(rows, weight as tf.Tensor3D, bias as tf.Tensor2D | undefined)
          : linear(rows, weight as tf.Tensor2D, bias as tf.Tensor1D | undefined);
      }
      case 'max-pool':
        return maxPoolWindows(asMap(x), windowsOf(layer));
      case 'average-pool': {
        const windows = windowsOf(layer);
        const { kernel, stride, padding } = windows;
        const apart = stride === kernel && padding === 0;
        return apart ? averagePool(asMap(x), kernel) : averagePoolWindows(asMap(x), windows);
      }
      case 'global-average-pool':
        return tf.mean(asMap(x), [1, 2]);
      case 'layer-norm': {
        const [gain, bias] = ['weight', 'bias'].map((part) =>
          get<tf.Tensor1D>(weights, `${layer.name}.${part}`),
        );
        return normalizeRows(x, gain as tf.Tensor1D, bias as tf.Tensor1D, layer.epsilon);
      }
      case 'activation':
        return activations[layer.function ?? activation](x, layer.slope);
      case 'dropout':
        return dropout ? dropout(x, weighted) : x;
      case 'flatten':
        // PyTorch flattens channels first, and the weights of the next layer are in that order.
        return tf.transpose(asMap(x), [0, 3, 1, 2]).reshape([x.shape[0] as number, -1]);
      case 'concatenate':
        return tf.concat(alike(layer.branches.map((branch) => run(branch, x))), -1);
    }
  };

  const normalize = ({ name, epsilon }: BatchNorm, x: tf.Tensor, after: After): tf.Tensor => {
    const [gain, bias] = ['weight', 'bias'].map((part) => get<tf.Tensor1D>(weights, `${name}.${part}`));
    const [mean, variance] = ['running_mean', 'running_var'].map((part) => get(buffers, `${name}.${part}`));
    const running = { mean, variance } as Record<'mean' | 'variance', tf.Tensor>;
    const options = { training, relu: after.relu, ...(epsilon !== undefined && { epsilon }) };
    return batchNorm(asMap(x), gain as tf.Tensor1D, bias as tf.Tensor1D, running, {
      ...options,
      residual: after.residual && asMap(after.residual),
    }).reshape(x.shape);
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
      if (layer.kind === 'batch-norm' && i === layers.length - 1) return normalize(layer, x, after);
      const next = layers[i + 1];
      const relu = next?.kind === 'activation' && (next.function ?? activation) === 'relu';
      if (layer.kind === 'batch-norm') x = normalize(layer, x, { relu });
      else x = run(layer.branch, x, { residual: run(layer.shortcut, x), relu });
      if (relu) i++;
    }
    if (after.residual) {
      const [one, other] = alike([x, after.residual]);
      x = tf.add(one as tf.Tensor, other as tf.Tensor);
    }
    return after.relu ? tf.relu(x) : x;
  };

  return run(layers, images) as tf.Tensor2D;
}

type BatchNorm = Extract<Layer, { kind: 'batch-norm' }>;
type Plain = Exclude<Layer, BatchNorm | { kind: 'residual' }>;

/** A feature map; a vector as one of a single pixel. */
const asMap = (x: tf.Tensor) =>
  (x.rank === 4 ? x : x.reshape([x.shape[0] as number, 1, 1, -1])) as tf.Tensor4D;

/** Vectors as they are; where some are feature maps, all as such. */
const alike = (tensors: tf.Tensor[]) =>
  tensors.some(({ rank }) => rank === 4) ? tensors.map(asMap) : tensors;

/** Layer normalisation of x [B, ..., C] by gain and bias [C], or of several models' one after the other by theirs, [models, C]. */
function normalizeRows(x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor, epsilon?: number): tf.Tensor {
  if (gain.rank === 1) return layerNorm(x, gain as tf.Tensor1D, bias as tf.Tensor1D, epsilon);
  const [models, channels] = gain.shape as [number, number];
  const rows = layerNorm(x, tf.ones([channels]), undefined, epsilon).reshape([models, -1, channels]);
  return tf.add(tf.mul(rows, gain.expandDims(1)), bias.expandDims(1)).reshape(x.shape);
}

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
