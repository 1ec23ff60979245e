import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** Exact GELU, x Phi(x) (Hendrycks and Gimpel 2016), by the error function. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return differentiable(
    [x],
    () => ({ value: forward(x), saved: [x] }),
    (dy, [x]) => [backward(dy, x as tf.Tensor)],
  );
}

function forward(x: tf.Tensor): tf.Tensor {
  if (hasKernel('SaneGelu')) return runKernel('SaneGelu', { x })[0] as tf.Tensor;
  return tf.mul(x, cumulative(x));
}

/** The derivative is Phi(x) + x phi(x). */
function backward(dy: tf.Tensor, x: tf.Tensor): tf.Tensor {
  if (hasKernel('SaneGeluGrad')) return runKernel('SaneGeluGrad', { dy, x })[0] as tf.Tensor;
  const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return tf.mul(dy, tf.add(cumulative(x), tf.mul(x, density)));
}

/** Phi, the distribution function of the standard normal. */
function cumulative(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}
