import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/**
 * Valid convolution, stride 1: x [B, H, W, C], weight [O, C, kh, kw], bias [O]: [B, H-kh+1, W-kw+1, O].
 * `inputGradient: false` says that x is data, which saves the work of a gradient that nobody asks for.
 */
export function conv2d(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  bias?: tf.Tensor1D,
  { inputGradient }: { inputGradient: boolean } = { inputGradient: true },
): tf.Tensor4D {
  if (hasKernel('SaneConv2d')) return fused(x, weight, bias, inputGradient);
  // tfjs computes only the gradients that are asked for, so the flag has nothing to save here.
  const y = tf.conv2d(x, weight.transpose<tf.Tensor4D>([2, 3, 1, 0]), 1, 'valid');
  return bias ? tf.add(y, bias) : y;
}

function fused(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  bias: tf.Tensor1D | undefined,
  inputGradient: boolean,
): tf.Tensor4D {
  const b = bias ?? tf.zeros<tf.Rank.R1>([weight.shape[0]]);
  const y = differentiable(
    inputGradient ? [weight, b, x] : [weight, b],
    () => ({ value: runKernel('SaneConv2d', { x, w: weight, b })[0] as tf.Tensor, saved: [x, weight] }),
    (dy, [x, w]) => runKernel('SaneConv2dGrad', { dy, x, w }, { inputGradient }),
  );
  return y as tf.Tensor4D;
}
