import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** x [..., in] times weight [out, in] transposed, plus bias [out]: [..., out]. Throws a RangeError if x has another last axis. */
export function linear(x: tf.Tensor, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor {
  const [out, width] = weight.shape;
  if (x.shape.at(-1) !== width)
    throw new RangeError(`A weight of [${out}, ${width}] takes no tensor of [${x.shape.join(', ')}].`);
  return differentiable(
    bias ? [x, weight, bias] : [x, weight],
    () => ({ value: forward(x, weight, bias), saved: [x, weight] }),
    (dy, [x, w]) => backward(dy, x as tf.Tensor, w as tf.Tensor2D, bias !== undefined),
  );
}

const rowsOf = (x: tf.Tensor) => x.reshape<tf.Tensor2D>([-1, x.shape.at(-1) as number]);

function forward(x: tf.Tensor, w: tf.Tensor2D, b: tf.Tensor1D | undefined): tf.Tensor {
  if (hasKernel('SaneLinear')) return runKernel('SaneLinear', { x, w, b })[0] as tf.Tensor;
  const y = tf.matMul(rowsOf(x), w, false, true);
  return (b ? tf.add(y, b) : y).reshape([...x.shape.slice(0, -1), w.shape[0]]);
}

function backward(dy: tf.Tensor, x: tf.Tensor, w: tf.Tensor2D, bias: boolean): tf.Tensor[] {
  if (hasKernel('SaneLinearGrad')) return runKernel('SaneLinearGrad', { dy, x, w }, { bias });
  const rows = rowsOf(dy);
  const gradients = [tf.matMul(rows, w).reshape(x.shape), tf.matMul(rows, rowsOf(x), true, false)];
  return bias ? [...gradients, tf.sum(rows, 0)] : gradients;
}
