/**
 * The operations of src/tensor/ops.ts as their formulas say, in plain tfjs with its own gradients: the oracle of the tests
 * on the cpu back end, and what the bench compares with.
 */
import type { BlockWeights } from '../../src/tensor/ops.ts';
import { tf } from '../../src/tensor/tf.ts';

export function linear(x: tf.Tensor, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor {
  const [out, width] = weight.shape;
  const flat = tf.matMul(x.reshape<tf.Tensor2D>([-1, width]), weight, false, true);
  return (bias ? tf.add(flat, bias) : flat).reshape([...x.shape.slice(0, -1), out]);
}

export function layerNorm(x: tf.Tensor, gain: tf.Tensor1D, bias?: tf.Tensor1D): tf.Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  const y = tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), gain);
  return bias ? tf.add(y, bias) : y;
}

export function gelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

export function maskedSquares(x: tf.Tensor, target: tf.Tensor, mask: tf.Tensor): tf.Scalar {
  return tf.sum(tf.square(tf.sub(tf.mul(mask, x), target)));
}

export function attention(qkv: tf.Tensor3D, heads: number): tf.Tensor3D {
  const [batch, tokens, columns] = qkv.shape;
  const width = columns / 3 / heads;
  const parts = tf
    .split(qkv, 3, -1)
    .map((part) => part.reshape([batch, tokens, heads, width]).transpose([0, 2, 1, 3]));
  const [q, k, v] = parts as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  const weights = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width)));
  return tf
    .matMul(weights, v)
    .transpose([0, 2, 1, 3])
    .reshape([batch, tokens, heads * width]);
}

export function transformerBlock(
  x: tf.Tensor3D,
  { norm1, qkv, projection, norm2, fc, mlp }: BlockWeights,
  heads: number,
): tf.Tensor3D {
  const attended = attention(linear(layerNorm(x, norm1), qkv) as tf.Tensor3D, heads);
  const middle = tf.add(x, linear(attended, projection));
  return tf.add(middle, linear(gelu(linear(layerNorm(middle, norm2), fc)), mlp));
}

/** By a one-hot matrix: the gradient of tf.gather does not exist on every untouched back end. */
export function embedding(table: tf.Tensor2D, ids: tf.Tensor): tf.Tensor {
  const [rows, width] = table.shape;
  const choice = tf.oneHot(ids.reshape<tf.Tensor1D>([-1]), rows).cast('float32') as tf.Tensor2D;
  return tf.matMul(choice, table).reshape([...ids.shape, width]);
}

export function conv2d(
  x: tf.Tensor4D,
  weight: tf.Tensor4D,
  bias?: tf.Tensor1D,
  { stride = 1, padding = 0 }: { stride?: number; padding?: number } = {},
): tf.Tensor4D {
  const y = tf.conv2d(x, weight.transpose<tf.Tensor4D>([2, 3, 1, 0]), stride, padding);
  return bias ? tf.add(y, bias) : y;
}

export function maxPool(x: tf.Tensor4D, size = 2): tf.Tensor4D {
  return tf.maxPool(x, size, size, 'valid');
}
