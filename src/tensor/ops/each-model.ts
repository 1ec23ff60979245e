/**
 * The layers with weights for many models at once, whose images are in one batch, those of a model together: x is
 * [models * B, ...], the weights [models, ...]. Composed of products of many matrices, so that it is as many calls as for one model.
 */
import { differentiable } from '../differentiable.ts';
import { tf } from '../tf.ts';
import type { Conv2dOptions } from './conv2d.ts';
import { geometryOf, pick } from './windows.ts';

/** As `linear`: x [models * B, in], weight [models, out, in], bias [models, out] or none: [models * B, out]. */
export function linearEach(x: tf.Tensor2D, weight: tf.Tensor3D, bias?: tf.Tensor2D): tf.Tensor2D {
  const [models, out] = weight.shape;
  const y = tf.matMul(x.reshape([models, -1, x.shape[1]]), weight, false, true);
  return (bias ? tf.add(y, bias.expandDims(1)) : y).reshape([-1, out]);
}

/**
 * As `conv2d`, with square windows: x [models * B, H, W, C], weight [models, O, C / groups, k, k], bias [models, O] or none. The windows
 * are written out as rows of a matrix; so are, for the gradient of x, the results that each pixel has a share in. Nothing
 * is added up but by matrix products, in the same order every time.
 */
export function conv2dEach(
  x: tf.Tensor4D,
  weight: tf.Tensor5D,
  bias?: tf.Tensor2D,
  options: Conv2dOptions = {},
): tf.Tensor4D {
  const { stride = 1, padding = 0, dilation = 1, groups = 1, inputGradient = true } = options;
  if (groups > 1) return ofGroups(x, weight, bias, { ...options, groups });
  const [models, out, channels, kernel] = weight.shape;
  const [count, height, width] = x.shape;
  const geometry = geometryOf(height, width, { kernel, stride, padding, dilation });
  const { rows, columns } = geometry;
  const taps = kernel * kernel;
  const y = differentiable(
    [weight, ...(inputGradient ? [x] : [])],
    () => {
      const pixels = x.reshape<tf.Tensor3D>([count, height * width, channels]);
      const windows = pick(pixels, geometry.pixels).reshape([models, -1, taps * channels]);
      const filters = tf.transpose(weight, [0, 1, 3, 4, 2]).reshape([models, out, taps * channels]);
      return { value: tf.matMul(windows, filters, false, true), saved: [windows, weight] };
    },
    (dy, [windows, weight]) => {
      const dfilters = tf.matMul(dy, windows as tf.Tensor, true);
      const dweight = tf.transpose(
        dfilters.reshape([models, out, kernel, kernel, channels]),
        [0, 1, 4, 2, 3],
      );
      if (!inputGradient) return [dweight];
      const results = dy.reshape<tf.Tensor3D>([count, rows * columns, out]);
      const shares = pick(results, geometry.results).reshape([models, -1, taps * out]);
      const filters = tf
        .transpose(weight as tf.Tensor5D, [0, 3, 4, 1, 2])
        .reshape([models, taps * out, channels]);
      return [dweight, tf.matMul(shares, filters).reshape(x.shape)];
    },
  );
  return (bias ? tf.add(y, bias.expandDims(1)) : y).reshape([count, rows, columns, out]);
}

/** The groups of channels of each model are models of their own, which see the same images. */
function ofGroups(
  x: tf.Tensor4D,
  weight: tf.Tensor5D,
  bias: tf.Tensor2D | undefined,
  { groups, ...options }: Conv2dOptions & { groups: number },
): tf.Tensor4D {
  const [models, out, channels, kernel] = weight.shape;
  const [count, height, width] = x.shape;
  const apart = tf
    .transpose(x.reshape([models, -1, height * width, groups, channels]), [0, 3, 1, 2, 4])
    .reshape<tf.Tensor4D>([groups * count, height, width, channels]);
  const filters = weight.reshape<tf.Tensor5D>([models * groups, out / groups, channels, kernel, kernel]);
  const biases = bias?.reshape<tf.Tensor2D>([models * groups, out / groups]);
  const y = conv2dEach(apart, filters, biases, options);
  const [, rows, columns] = y.shape;
  return tf
    .transpose(y.reshape([models, groups, count / models, rows * columns, out / groups]), [0, 2, 3, 1, 4])
    .reshape([count, rows, columns, out]);
}
