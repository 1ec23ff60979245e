import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/**
 * Self-attention without a mask (Vaswani et al. 2017). qkv [B, T, 3d] holds queries, keys and values in this order, each of
 * `heads` contiguous slices of d / heads; scale 1/sqrt(d / heads). Result [B, T, d].
 */
export function attention(qkv: tf.Tensor3D, heads: number): tf.Tensor3D {
  const y = differentiable(
    [qkv],
    () => {
      const [value, kept] = forward(qkv, heads);
      return { value, saved: [qkv, value, kept] };
    },
    (dy, [qkv, y, kept]) => [
      backward(dy as tf.Tensor3D, qkv as tf.Tensor3D, y as tf.Tensor, kept as tf.Tensor, heads),
    ],
  );
  return y as tf.Tensor3D;
}

/** The result [B, T, d], and what the gradient needs: the weights [B, heads, T, T], or what a kernel finds them by again. */
function forward(qkv: tf.Tensor3D, heads: number): [tf.Tensor, tf.Tensor] {
  if (hasKernel('SaneAttention')) {
    return runKernel('SaneAttention', { qkv }, { heads }) as [tf.Tensor, tf.Tensor];
  }
  const [q, k, v] = splitHeads(qkv, heads, 3);
  const probs = tf.softmax(tf.mul(tf.matMul(q, k, false, true), scale(q)));
  return [mergeHeads([tf.matMul(probs, v)]), probs];
}

function backward(
  dy: tf.Tensor3D,
  qkv: tf.Tensor3D,
  y: tf.Tensor,
  kept: tf.Tensor,
  heads: number,
): tf.Tensor {
  if (hasKernel('SaneAttentionGrad')) {
    return runKernel('SaneAttentionGrad', { dy, qkv, y, logSums: kept }, { heads })[0] as tf.Tensor;
  }
  const [q, k, v] = splitHeads(qkv, heads, 3);
  const [dout] = splitHeads(dy, heads, 1);
  const dprobs = tf.matMul(dout, v, false, true);
  const dscores = tf.mul(kept, tf.sub(dprobs, tf.sum(tf.mul(dprobs, kept), -1, true)));
  const scaled = tf.mul(dscores, scale(q));
  return mergeHeads([
    tf.matMul(scaled, k),
    tf.matMul(scaled, q, true, false),
    tf.matMul(kept, dout, true, false),
  ]);
}

/** x [B, T, parts * d] as `parts` tensors [B, heads, T, d / heads]. */
function splitHeads(x: tf.Tensor3D, heads: number, parts: number): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] {
  const [batch, tokens, width] = x.shape;
  const split = tf
    .split(x, parts, -1)
    .map((part) => part.reshape([batch, tokens, heads, width / parts / heads]).transpose([0, 2, 1, 3]));
  return split as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
}

/** The inverse of splitHeads. */
function mergeHeads(parts: tf.Tensor[]): tf.Tensor {
  const merged = parts.map((part) => {
    const [batch, heads, tokens, width] = part.shape as [number, number, number, number];
    return part.transpose([0, 2, 1, 3]).reshape([batch, tokens, heads * width]);
  });
  return tf.concat(merged, -1);
}

function scale(q: tf.Tensor4D): number {
  return 1 / Math.sqrt(q.shape[3]);
}
