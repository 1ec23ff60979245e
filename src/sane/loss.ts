/** Losses of pretraining: reconstruction (equation 5), contrast (equation 6), and the explained variance that is logged. */
import type { SaneSettings } from '../experiment/types.ts';
import { maskedSquares } from '../tensor/ops.ts';
import { tf } from '../tensor/tf.ts';

/** How errors are averaged. */
export type LossSettings = Pick<SaneSettings, 'padding_in_loss'> &
  Partial<Pick<SaneSettings, 'loss_normalization'>>;

/**
 * Mean squared error of the masked output against the target (equation 5). All [rows, window, token_size]; the target is 0 in
 * padding already. The mean is over weights, or over all numbers, padding included, as the authors' released code has it. Errors may be
 * divided by the standard deviation of the target (`lossScale`).
 */
export function reconstructionLoss(
  target: tf.Tensor3D,
  output: tf.Tensor3D,
  mask: tf.Tensor3D,
  { padding_in_loss, loss_normalization = 'none' }: LossSettings,
): tf.Scalar {
  const count = padding_in_loss ? target.size : tf.sum(mask);
  if (loss_normalization === 'none') return tf.div(maskedSquares(output, target, mask), count) as tf.Scalar;
  const weight = tf.reciprocal(lossScale(target, mask, loss_normalization));
  return tf.div(maskedSquares(output, tf.mul(target, weight), tf.mul(mask, weight)), count) as tf.Scalar;
}

/** Added to standard deviations, as in the authors' code. */
const epsilon = 1e-4;

/** A token whose variance is a smaller share of the batch's has no scale of its own. */
const leastShare = 0.01;

/**
 * What errors are divided by where the loss is normalised (Falk et al. 2025, "The Impact of Model Zoo Size and Composition on Weight Space
 * Learning"; the mean that they subtract from target and output cancels). batch: the standard deviation of all weights of the
 * batch, as their released code has it; a scalar. token: of each token's weights, [rows, window, 1]; that of the batch for a token of one
 * weight, or of nearly equal ones.
 */
export function lossScale(target: tf.Tensor3D, mask: tf.Tensor3D, of: 'batch' | 'token'): tf.Tensor {
  const variance = (axis?: number) => {
    const count = tf.sum(mask, axis, true);
    const mean = tf.div(tf.sum(target, axis, true), count);
    return tf.div(tf.sum(tf.mul(mask, tf.square(tf.sub(target, mean))), axis, true), count);
  };
  const batch = variance();
  if (of === 'batch') return tf.add(tf.sqrt(batch), epsilon);
  const token = variance(2);
  const own = tf.where(tf.greater(token, tf.mul(batch, leastShare)), token, batch);
  return tf.add(tf.sqrt(own), epsilon);
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
