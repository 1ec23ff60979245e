import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** Weight of the newest batch in the running statistics, and what is added to a variance: PyTorch's defaults. */
const momentum = 0.1;
const epsilon = 1e-5;

/** Statistics of each channel [C] over the batches seen in training, which takes variables. */
export interface RunningStatistics {
  mean: tf.Tensor;
  variance: tf.Tensor;
}

export interface BatchNormOptions {
  /** Whether to normalise by the batch's own statistics, and to bring the running ones nearer to them. */
  training: boolean;
  /** Added to the normalised numbers, shape of x. */
  residual?: tf.Tensor4D | undefined;
  /** Whether the result goes through max(0, .) at the end. */
  relu?: boolean;
}

/**
 * Batch normalisation over all but the last axis (Ioffe and Szegedy 2015) as PyTorch computes it: x [B, H, W, C], gain [C],
 * bias [C]. In training the biased variance of the batch normalises, and the unbiased one enters the running statistics.
 * Throws a RangeError for a training batch with a single number per channel, a TypeError where training could not update.
 */
export function batchNorm(
  x: tf.Tensor4D,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
  running: RunningStatistics,
  { training, residual, relu = false }: BatchNormOptions,
): tf.Tensor4D {
  if (training) return normalize(x, gain, bias, running, residual, relu);
  const scale = tf.mul(gain, tf.rsqrt(tf.add(running.variance, epsilon)));
  const y = tf.add(tf.mul(x, scale), tf.sub(bias, tf.mul(running.mean, scale)));
  return rectified(residual ? tf.add(y, residual) : y, relu) as tf.Tensor4D;
}

const rectified = (y: tf.Tensor, relu: boolean) => (relu ? tf.relu(y) : y);

function normalize(
  x: tf.Tensor4D,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
  running: RunningStatistics,
  residual: tf.Tensor4D | undefined,
  relu: boolean,
): tf.Tensor4D {
  const count = x.size / gain.size;
  if (count < 2)
    throw new RangeError('Batch normalisation in training takes more than one number per channel.');
  if (!(running.mean instanceof tf.Variable && running.variance instanceof tf.Variable))
    throw new TypeError('Batch normalisation in training takes running statistics that are variables.');
  const rows = (tensor: tf.Tensor) => tensor.reshape<tf.Tensor2D>([count, gain.size]);
  const y = differentiable(
    [rows(x), gain, bias, ...(residual ? [rows(residual)] : [])],
    () => {
      const [value, mean, variance] = forward(rows(x), gain, bias, residual && rows(residual), relu);
      update(running.mean, mean);
      update(running.variance, tf.mul(variance, count / (count - 1)));
      return { value, saved: [rows(x), value, gain, mean, variance] };
    },
    (dy, saved) => {
      const [x, y, gain, mean, variance] = saved as [tf.Tensor2D, tf.Tensor2D, ...tf.Tensor1D[]];
      const tensors = { dy, x, y, gain, mean, variance } as Saved;
      return backward(tensors, residual !== undefined, relu);
    },
  );
  return y.reshape(x.shape);
}

function update(average: tf.Tensor, latest: tf.Tensor): void {
  (average as tf.Variable).assign(tf.add(tf.mul(average, 1 - momentum), tf.mul(latest, momentum)));
}

/** The result [N, C], and the batch's means and biased variances [C]. */
function forward(
  x: tf.Tensor2D,
  gain: tf.Tensor1D,
  bias: tf.Tensor1D,
  residual: tf.Tensor2D | undefined,
  relu: boolean,
): [tf.Tensor, tf.Tensor, tf.Tensor] {
  if (hasKernel('SaneBatchNorm')) {
    const outputs = runKernel('SaneBatchNorm', { x, gain, bias, residual }, { epsilon, relu });
    return outputs as [tf.Tensor, tf.Tensor, tf.Tensor];
  }
  const { mean, variance } = tf.moments(x, 0);
  const y = tf.add(tf.mul(unit(x, mean, variance), gain), bias);
  return [rectified(residual ? tf.add(y, residual) : y, relu), mean, variance];
}

/** x brought to mean 0 and variance 1. */
const unit = (x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor) =>
  tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));

type Saved = Record<'dy' | 'x' | 'y' | 'gain' | 'mean' | 'variance', tf.Tensor>;

function backward(saved: Saved, residual: boolean, relu: boolean): tf.Tensor[] {
  if (hasKernel('SaneBatchNormGrad')) {
    return runKernel('SaneBatchNormGrad', saved, { epsilon, relu, residual });
  }
  const { dy, x, y, gain, mean, variance } = saved;
  const g = relu ? tf.mul(dy, tf.step(y)) : dy;
  const normalized = unit(x, mean, variance);
  const [dgain, dbias] = [tf.sum(tf.mul(g, normalized), 0), tf.sum(g, 0)];
  // The mean and the variance depend on every number of the channel: their share is taken off again.
  const shared = tf.div(tf.add(dbias, tf.mul(normalized, dgain)), x.shape[0] as number);
  const dx = tf.mul(tf.sub(g, shared), tf.mul(gain, tf.rsqrt(tf.add(variance, epsilon))));
  return [dx, dgain, dbias, ...(residual ? [g] : [])];
}
