import { conv2d, gelu, linear, maxPool2 } from '../engine/ops.ts';
import { tf } from '../engine/tf.ts';
import type { Activation, Architecture } from './architecture.ts';

const activations: Record<Activation, (x: tf.Tensor) => tf.Tensor> = {
  tanh: (x) => tf.tanh(x),
  relu: (x) => tf.relu(x),
  sigmoid: (x) => tf.sigmoid(x),
  gelu,
};

/**
 * The network's logits [B, classes] for images [B, H, W, C], which are normalised. `weights` are by parameter name in PyTorch's
 * shapes. `dropout` is applied where the architecture has it, and hears which layer with parameters came before, counted from
 * 0; without it nothing is dropped. Call inside tf.tidy.
 */
export function forward(
  architecture: Architecture,
  weights: ReadonlyMap<string, tf.Tensor>,
  images: tf.Tensor4D,
  activation: Activation,
  dropout?: (x: tf.Tensor, layer: number) => tf.Tensor,
): tf.Tensor2D {
  const parameter = <T extends tf.Tensor>(name: string): T => {
    const tensor = weights.get(name);
    if (!tensor) throw new Error(`${architecture.name}: no weights for ${name}`);
    return tensor as T;
  };
  let x: tf.Tensor = images;
  let weighted = -1;
  for (const layer of architecture.layers) {
    if ('inputs' in layer) weighted++;
    switch (layer.kind) {
      case 'conv2d':
        x = conv2d(x as tf.Tensor4D, parameter(`${layer.name}.weight`), parameter(`${layer.name}.bias`), {
          inputGradient: x !== images,
        });
        break;
      case 'max-pool':
        x = maxPool2(x as tf.Tensor4D);
        break;
      case 'activation':
        x = activations[activation](x);
        break;
      case 'dropout':
        if (dropout) x = dropout(x, weighted);
        break;
      case 'flatten':
        // PyTorch flattens channels first, and the weights of the next layer are in that order.
        x = tf.transpose(x, [0, 3, 1, 2]).reshape([x.shape[0] as number, -1]);
        break;
      case 'linear':
        x = linear(x, parameter(`${layer.name}.weight`), parameter(`${layer.name}.bias`));
        break;
    }
  }
  return x as tf.Tensor2D;
}
