/**
 * The layers with weights for many models at once, whose images are in one batch, those of a model together: x is
 * [models * B, ...], the weights [models, ...]. Composed of products of many matrices, so that it is as many calls as for one model.
 */
import { tf } from '../tf.ts';
import type { Conv2dOptions } from './conv2d.ts';
import { patches } from './patches.ts';

/** As `linear`: x [models * B, in], weight [models, out, in], bias [models, out]: [models * B, out]. */
export function linearEach(x: tf.Tensor2D, weight: tf.Tensor3D, bias: tf.Tensor2D): tf.Tensor2D {
  const [models, out] = weight.shape;
  const y = tf.matMul(x.reshape([models, -1, x.shape[1]]), weight, false, true);
  return tf.add(y, bias.expandDims(1)).reshape([-1, out]);
}

/** As `conv2d`: x [models * B, H, W, C], weight [models, O, C, kh, kw], bias [models, O] or none. Windows are square. */
export function conv2dEach(
  x: tf.Tensor4D,
  weight: tf.Tensor5D,
  bias?: tf.Tensor2D,
  { stride = 1, padding = 0 }: Pick<Conv2dOptions, 'stride' | 'padding'> = {},
): tf.Tensor4D {
  const [models, out, channels, kernel] = weight.shape;
  const numbers = kernel * kernel * channels;
  const windows = patches(x, { kernel, stride, padding });
  const [count, height, width] = windows.shape;
  // The numbers of a window are in the order (kh, kw, C).
  const filters = tf.transpose(weight, [0, 1, 3, 4, 2]).reshape([models, out, numbers]);
  const y = tf.matMul(windows.reshape([models, -1, numbers]), filters, false, true);
  return (bias ? tf.add(y, bias.expandDims(1)) : y).reshape([count, height, width, out]);
}
