/** Losses of pretraining: reconstruction (equation 5), contrast (equation 6), and the explained variance that is logged. */
import { maskedSquares } from '../tensor/ops.ts';
import { tf } from '../tensor/tf.ts';

/**
 * Mean squared error of the masked output against the target (equation 5). All [rows, window, token_size]; the target is 0 in
 * padding already. The mean is over weights, or over all numbers, padding included, as the authors' released code has it.
 */
export function reconstructionLoss(
  target: tf.Tensor,
  output: tf.Tensor,
  mask: tf.Tensor,
  paddingInMean: boolean,
): tf.Scalar {
  return tf.div(maskedSquares(output, target, mask), paddingInMean ? target.size : tf.sum(mask)) as tf.Scalar;
}

/**
 * NT-Xent on projections [2n, d], rows i and n + i being views of one sample (equation 6): the mean over rows of
 * -s_positive + log sum exp s over all other rows, s = cosine similarity / temperature.
 */
export function contrastiveLoss(projections: tf.Tensor2D, temperature: number): tf.Scalar {
  const rows = projections.shape[0];
  const norm = tf.maximum(tf.sqrt(tf.sum(tf.square(projections), 1, true)), 1e-8);
  const unit = tf.div(projections, norm) as tf.Tensor2D;
  const similarity = tf.div(tf.matMul(unit, unit, false, true), temperature);
  // A row is no negative of itself: e^-1e9 is 0, and unlike -infinity its product with 0 is 0 in the gradient.
  const others = tf.sub(similarity, tf.mul(tf.eye(rows), 1e9));
  const partner = Int32Array.from({ length: rows }, (_, i) => (i + rows / 2) % rows);
  const positive = tf.sum(tf.mul(similarity, tf.oneHot(tf.tensor1d(partner, 'int32'), rows)), 1);
  return tf.mean(tf.sub(tf.logSumExp(others, 1), positive)) as tf.Scalar;
}

/** 1 - Var(error) / Var(target) over the weights (mask 1) of typed arrays of equal length, in float64. */
export function explainedVariance(target: Float32Array, output: Float32Array, mask: Float32Array): number {
  let n = 0;
  let [sumT, sumE, squaresT, squaresE] = [0, 0, 0, 0];
  for (let i = 0; i < target.length; i++) {
    if (mask[i] === 0) continue;
    const t = target[i] as number;
    const e = t - (output[i] as number);
    n++;
    sumT += t;
    sumE += e;
    squaresT += t * t;
    squaresE += e * e;
  }
  return 1 - (squaresE - sumE ** 2 / n) / (squaresT - sumT ** 2 / n);
}
