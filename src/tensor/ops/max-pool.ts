import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/**
 * Maximum of squares of side `size` that do not overlap: x [B, H, W, C]; rows and columns that fill no square are dropped. The
 * first of equals gets the gradient.
 */
export function maxPool(x: tf.Tensor4D, size = 2): tf.Tensor4D {
  if (!hasKernel('SaneMaxPoolGrad')) return tf.maxPool(x, size, size, 'valid');
  const windows = { filterSize: size, strides: size };
  const y = differentiable(
    [x],
    () => {
      const value = forward(x, windows);
      return { value, saved: [x, value] };
    },
    (dy, [x, y]) => runKernel('SaneMaxPoolGrad', { dy, x, y }, windows),
  );
  return y as tf.Tensor4D;
}

function forward(x: tf.Tensor4D, windows: { filterSize: number; strides: number }): tf.Tensor {
  if (hasKernel('SaneMaxPool')) return runKernel('SaneMaxPool', { x }, windows)[0] as tf.Tensor;
  return tf.maxPool(x, windows.filterSize, windows.strides, 'valid');
}
