import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

export interface Conv2dOptions {
  /** Pixels from one window to the next, along both axes. */
  stride?: number;
  /** Rows and columns of zeros around the image, on each side. */
  padding?: number;
  /** `false` says that x is data, which saves the work of a gradient that nobody asks for. */
  inputGradient?: boolean;
}

/**
 * Convolution as PyTorch's: x [B, H, W, C], weight [O, C, kh, kw], bias [O] or none:
 * [B, floor((H + 2 padding - kh) / stride) + 1, floor((W + 2 padding - kw) / stride) + 1, O].
 */
export function conv2d(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  bias?: tf.Tensor1D,
  { stride = 1, padding = 0, inputGradient = true }: Conv2dOptions = {},
): tf.Tensor4D {
  if (hasKernel('SaneConv2d')) return fused(x, weight, bias, { stride, padding, inputGradient });
  // tfjs computes only the gradients that are asked for, so the flag has nothing to save here.
  const y = tf.conv2d(x, weight.transpose<tf.Tensor4D>([2, 3, 1, 0]), stride, padding);
  return bias ? tf.add(y, bias) : y;
}

function fused(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  bias: tf.Tensor1D | undefined,
  { stride, padding, inputGradient }: Required<Conv2dOptions>,
): tf.Tensor4D {
  const flags = { bias: bias !== undefined, inputGradient };
  const y = differentiable(
    [weight, ...(bias ? [bias] : []), ...(inputGradient ? [x] : [])],
    () => ({
      value: runKernel('SaneConv2d', { x, w: weight, b: bias }, { stride, padding })[0] as tf.Tensor,
      saved: [x, weight],
    }),
    (dy, [x, w]) => runKernel('SaneConv2dGrad', { dy, x, w }, { stride, padding, ...flags }),
  );
  return y as tf.Tensor4D;
}
