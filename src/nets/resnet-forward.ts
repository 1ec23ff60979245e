import { batchNorm, conv2d, linear } from '../engine/ops.ts';
import { tf } from '../engine/tf.ts';
import type { NormalizedConv, Resnet } from './resnet.ts';

/**
 * Logits [B, classes] of images [B, H, W, C], which are normalised. `weights` are by parameter name in PyTorch's shapes,
 * `buffers` the running statistics. In training, batches are normalised by their own statistics and the running ones are
 * brought nearer to them; otherwise the running ones normalise. Call inside tf.tidy.
 */
export function forwardResnet(
  net: Resnet,
  weights: ReadonlyMap<string, tf.Tensor>,
  buffers: ReadonlyMap<string, tf.Variable>,
  images: tf.Tensor4D,
  { training }: { training: boolean },
): tf.Tensor2D {
  const get = <T>(tensors: ReadonlyMap<string, tf.Tensor>, name: string): T => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`${net.name}: nothing is given for ${name}`);
    return tensor as T;
  };
  const apply = (
    x: tf.Tensor4D,
    { conv, norm, kernel, stride }: NormalizedConv,
    after: { relu: boolean; residual?: tf.Tensor4D },
  ): tf.Tensor4D => {
    const options = { stride, padding: (kernel - 1) / 2, inputGradient: x !== images };
    const y = conv2d(x, get(weights, `${conv}.weight`), undefined, options);
    const [gain, bias] = [`${norm}.weight`, `${norm}.bias`].map((name) => get<tf.Tensor1D>(weights, name));
    const running = {
      mean: get<tf.Variable>(buffers, `${norm}.running_mean`),
      variance: get<tf.Variable>(buffers, `${norm}.running_var`),
    };
    return batchNorm(y, gain as tf.Tensor1D, bias as tf.Tensor1D, running, { training, ...after });
  };
  let x = apply(images, net.stem, { relu: true });
  for (const { convs, downsample } of net.residuals) {
    const residual = downsample ? apply(x, downsample, { relu: false }) : x;
    for (const conv of convs) {
      x = apply(x, conv, conv === convs.at(-1) ? { relu: true, residual } : { relu: true });
    }
  }
  return linear(tf.mean(x, [1, 2]), get(weights, 'fc.weight'), get(weights, 'fc.bias')) as tf.Tensor2D;
}
