import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** Layer normalisation over the last axis (Ba et al. 2016): biased variance, gain [d], bias [d] or none. */
export function layerNorm(x: tf.Tensor, gain: tf.Tensor1D, bias?: tf.Tensor1D, epsilon = 1e-5): tf.Tensor {
  return differentiable(
    bias ? [x, gain, bias] : [x, gain],
    () => {
      const [value, mean, rstd] = forward(x, gain, bias, epsilon);
      return { value, saved: [x, gain, mean, rstd] };
    },
    (dy, saved) => {
      const [x, gain, mean, rstd] = saved as [tf.Tensor, tf.Tensor1D, tf.Tensor, tf.Tensor];
      return backward(dy, x, gain, mean, rstd, bias !== undefined);
    },
  );
}

/** x normalised, and the means and reciprocal standard deviations of its rows. */
function forward(
  x: tf.Tensor,
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
  x: tf.Tensor,
  gain: tf.Tensor1D,
  mean: tf.Tensor,
  rstd: tf.Tensor,
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
  const rowAxes = x.shape.slice(1).map((_, axis) => axis);
  const gradients = [dx, tf.sum(tf.mul(dy, unit), rowAxes)];
  return bias ? [...gradients, tf.sum(dy, rowAxes)] : gradients;
}

function normalized(x: tf.Tensor, mean: tf.Tensor, rstd: tf.Tensor): tf.Tensor {
  return tf.mul(tf.sub(x, mean.expandDims(-1)), rstd.expandDims(-1));
}
