import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** x [..., in] times weight [out, in] transposed, plus bias [out]: [..., out]. */
export function linear(x: tf.Tensor, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor {
  const [out, width] = weight.shape;
  const flat = x.reshape<tf.Tensor2D>([-1, width]);
  const inputs = bias ? [flat, weight, bias] : [flat, weight];
  const y = differentiable(
    inputs,
    () => ({ value: forward(flat, weight, bias), saved: [flat, weight] }),
    (dy, [x, w]) => backward(dy as tf.Tensor2D, x as tf.Tensor2D, w as tf.Tensor2D, bias !== undefined),
  );
  return y.reshape([...x.shape.slice(0, -1), out]);
}

function forward(x: tf.Tensor2D, w: tf.Tensor2D, b: tf.Tensor1D | undefined): tf.Tensor {
  if (hasKernel('SaneLinear')) return runKernel('SaneLinear', { x, w, b })[0] as tf.Tensor;
  const y = tf.matMul(x, w, false, true);
  return b ? tf.add(y, b) : y;
}

function backward(dy: tf.Tensor2D, x: tf.Tensor2D, w: tf.Tensor2D, bias: boolean): tf.Tensor[] {
  if (hasKernel('SaneLinearGrad')) return runKernel('SaneLinearGrad', { dy, x, w }, { bias });
  const gradients = [tf.matMul(dy, w), tf.matMul(dy, x, true, false)];
  return bias ? [...gradients, tf.sum(dy, 0)] : gradients;
}
