import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** Rows of table [n, d] at ids (any shape, int32): [...ids.shape, d]. An id outside 0..n-1 is an error of the caller. */
export function embedding(table: tf.Tensor2D, ids: tf.Tensor): tf.Tensor {
  if (!hasKernel('SaneEmbeddingGrad')) return tf.gather(table, ids);
  const [rows, width] = table.shape;
  return differentiable(
    [table],
    () => ({ value: tf.gather(table, ids), saved: [ids] }),
    (dy, [ids]) => {
      const flat = { dy: dy.reshape([-1, width]), ids: (ids as tf.Tensor).reshape([-1]) };
      return runKernel('SaneEmbeddingGrad', flat, { rows });
    },
  );
}
