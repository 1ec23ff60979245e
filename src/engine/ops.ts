/**
 * The operations of the networks here, each differentiable, in PyTorch's conventions: weights of a linear map are
 * [out, in], those of a convolution [out, in, kh, kw]. Callers use these and plain tfjs operations, never a device's kernels.
 */
import { tf } from './tf.ts';

/** x [..., in] times weight [out, in] transposed, plus bias [out]: [..., out]. */
export function linear(x: tf.Tensor, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor {
  const [out, inputs] = weight.shape;
  const flat = tf.matMul(x.reshape([-1, inputs]) as tf.Tensor2D, weight, false, true);
  const y = bias ? tf.add(flat, bias) : flat;
  return y.reshape([...x.shape.slice(0, -1), out]);
}

/** Layer normalisation over the last axis: biased variance, gain [d], bias [d] or none. */
export function layerNorm(x: tf.Tensor, gain: tf.Tensor1D, bias?: tf.Tensor1D, epsilon = 1e-5): tf.Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  const y = tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon))), gain);
  return bias ? tf.add(y, bias) : y;
}

/** Exact GELU, x Phi(x) (Hendrycks and Gimpel 2016), by the error function. */
export function gelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

/**
 * Self-attention without a mask. qkv [B, T, 3d] holds queries, keys and values in this order, each of `heads`
 * contiguous slices of d / heads; scale 1/sqrt(d / heads). Result [B, T, d].
 */
export function attention(qkv: tf.Tensor3D, heads: number): tf.Tensor3D {
  const [batch, tokens, width] = qkv.shape;
  const d = width / 3;
  const parts = tf
    .split(qkv, 3, -1)
    .map((part) => part.reshape([batch, tokens, heads, d / heads]).transpose([0, 2, 1, 3]));
  const [q, k, v] = parts as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  const weights = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(d / heads)));
  return tf.matMul(weights, v).transpose([0, 2, 1, 3]).reshape([batch, tokens, d]);
}

/** Rows of table [n, d] at ids (any shape, int32): [...ids.shape, d]. */
export function embedding(table: tf.Tensor2D, ids: tf.Tensor): tf.Tensor {
  return tf.gather(table, ids);
}

/** Valid convolution, stride 1: x [B, H, W, C], weight [O, C, kh, kw], bias [O]: [B, H-kh+1, W-kw+1, O]. */
export function conv2d(x: tf.Tensor4D, weight: tf.Tensor4D, bias?: tf.Tensor1D): tf.Tensor4D {
  const y = tf.conv2d(x, weight.transpose([2, 3, 1, 0]) as tf.Tensor4D, 1, 'valid');
  return bias ? tf.add(y, bias) : y;
}

/** Maximum of 2x2 blocks, stride 2: x [B, H, W, C]; an odd last row or column is dropped. The first of equals gets the gradient. */
export function maxPool2(x: tf.Tensor4D): tf.Tensor4D {
  return tf.maxPool(x, 2, 2, 'valid');
}
