import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** Maximum of 2x2 blocks, stride 2: x [B, H, W, C]; an odd last row or column is dropped. The first of equals gets the gradient. */
export function maxPool2(x: tf.Tensor4D): tf.Tensor4D {
  if (!hasKernel('SaneMaxPool2Grad')) return tf.maxPool(x, 2, 2, 'valid');
  const y = differentiable(
    [x],
    () => {
      const value = forward(x);
      return { value, saved: [x, value] };
    },
    (dy, [x, y]) => runKernel('SaneMaxPool2Grad', { dy, x, y }),
  );
  return y as tf.Tensor4D;
}

function forward(x: tf.Tensor4D): tf.Tensor {
  if (hasKernel('SaneMaxPool2')) return runKernel('SaneMaxPool2', { x })[0] as tf.Tensor;
  return tf.maxPool(x, 2, 2, 'valid');
}
