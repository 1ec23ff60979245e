import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';
import { conv2dEach } from './each-model.ts';

export interface Conv2dOptions {
  /** Pixels from one window to the next, along both axes. */
  stride?: number;
  /** Rows and columns of zeros around the image, on each side. */
  padding?: number;
  /** Pixels from one place in a window to the next. */
  dilation?: number;
  /** Into so many equal parts the channels of x and of the result are divided; each part sees its own only. C of them: depthwise. */
  groups?: number;
  /** `false` says that x is data, which saves the work of a gradient that nobody asks for. */
  inputGradient?: boolean;
}

/**
 * Convolution as PyTorch's: x [B, H, W, C], weight [O, C / groups, kh, kw], bias [O] or none:
 * [B, floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1, likewise of W, O]. With groups or dilation kernels are square.
 */
export function conv2d(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  bias?: tf.Tensor1D,
  options: Conv2dOptions = {},
): tf.Tensor4D {
  const { stride = 1, padding = 0, dilation = 1, groups = 1, inputGradient = true } = options;
  if (groups > 1 || dilation > 1) {
    return conv2dEach(x, weight.expandDims(0), bias?.expandDims(0), options);
  }
  if (hasKernel('SaneConv2d')) return fused(x, weight, bias, { stride, padding, inputGradient });
  // tfjs computes only the gradients that are asked for, so the flag has nothing to save here.
  const y = tf.conv2d(x, weight.transpose<tf.Tensor4D>([2, 3, 1, 0]), stride, padding);
  return bias ? tf.add(y, bias) : y;
}

function fused(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  bias: tf.Tensor1D | undefined,
  { stride, padding, inputGradient }: { stride: number; padding: number; inputGradient: boolean },
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
