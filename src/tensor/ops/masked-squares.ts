import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** The sum of the squares of mask x - target, all of one shape, as a scalar; differentiable in x. */
export function maskedSquares(x: tf.Tensor, target: tf.Tensor, mask: tf.Tensor): tf.Scalar {
  const y = differentiable(
    [x],
    () => ({ value: forward(x, target, mask), saved: [x, target, mask] }),
    (dy, [x, target, mask]) => [backward(dy, x as tf.Tensor, target as tf.Tensor, mask as tf.Tensor)],
  );
  return y as tf.Scalar;
}

function forward(x: tf.Tensor, target: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  if (hasKernel('SaneMaskedSquares'))
    return runKernel('SaneMaskedSquares', { x, target, mask })[0] as tf.Tensor;
  return tf.sum(tf.square(tf.sub(tf.mul(mask, x), target)));
}

function backward(dy: tf.Tensor, x: tf.Tensor, target: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  if (hasKernel('SaneMaskedSquaresGrad')) {
    return runKernel('SaneMaskedSquaresGrad', { dy, x, target, mask })[0] as tf.Tensor;
  }
  return tf.mul(tf.mul(tf.mul(dy, 2), mask), tf.sub(tf.mul(mask, x), target));
}
