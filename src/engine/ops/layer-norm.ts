import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** Layer normalisation over the last axis (Ba et al. 2016): biased variance, gain [d], bias [d] or none. */
export function layerNorm(x: tf.Tensor, gain: tf.Tensor1D, bias?: tf.Tensor1D, epsilon = 1e-5): tf.Tensor {
  const rows = x.reshape<tf.Tensor2D>([-1, gain.size]);
  const y = differentiable(
    bias ? [rows, gain, bias] : [rows, gain],
    () => {
      const [value, mean, rstd] = forward(rows, gain, bias, epsilon);
      return { value, saved: [rows, gain, mean, rstd] };
    },
    (dy, saved) => {
      const [x, gain, mean, rstd] = saved as [tf.Tensor2D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];
      return backward(dy, x, gain, mean, rstd, bias !== undefined);
    },
  );
  return y.reshape(x.shape);
}

/** The normalised rows [N, D], and their means and reciprocal standard deviations [N]. */
function forward(
  x: tf.Tensor2D,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D | undefined,
  epsilon: number,
): [tf.Tensor, tf.Tensor, tf.Tensor] {
  if (hasKernel('SaneLayerNorm')) {
    return runKernel('SaneLayerNorm', { x, gain, bias }, { epsilon }) as [tf.Tensor, tf.Tensor, tf.Tensor];
  }
  const { mean, variance } = tf.moments(x, -1);
  const rstd = tf.rsqrt(tf.add(variance, epsilon));
  const y = tf.mul(normalized(x, mean, rstd), gain);
  return [bias ? tf.add(y, bias) : y, mean, rstd];
}

function backward(
  dy: tf.Tensor,
  x: tf.Tensor2D,
  gain: tf.Tensor1D,
  mean: tf.Tensor1D,
  rstd: tf.Tensor1D,
  bias: boolean,
): tf.Tensor[] {
  if (hasKernel('SaneLayerNormGrad')) {
    return runKernel('SaneLayerNormGrad', { dy, x, gain, mean, rstd }, { bias });
  }
  const unit = normalized(x, mean, rstd);
  const dunit = tf.mul(dy, gain);
  // The mean and the variance depend on every number of the row: their share is taken off again.
  const shared = tf.add(tf.mean(dunit, -1, true), tf.mul(unit, tf.mean(tf.mul(dunit, unit), -1, true)));
  const dx = tf.mul(tf.sub(dunit, shared), rstd.expandDims(-1));
  const gradients = [dx, tf.sum(tf.mul(dy, unit), 0)];
  return bias ? [...gradients, tf.sum(dy, 0)] : gradients;
}

function normalized(x: tf.Tensor, mean: tf.Tensor, rstd: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sub(x, mean.expandDims(-1)), rstd.expandDims(-1));
}
