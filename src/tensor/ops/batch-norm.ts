import { differentiable } from '../differentiable.ts';
import { hasKernel, runKernel } from '../kernel.ts';
import { tf } from '../tf.ts';

/** Weight of the newest batch in the running statistics: PyTorch's default. */
const momentum = 0.1;

/** Statistics of each channel [C] over the batches seen in training, which takes variables. */
export interface RunningStatistics {
  mean: tf.Tensor;
  variance: tf.Tensor;
}

export interface BatchNormOptions {
  /** Whether to normalise by the batch's own statistics, and to move the running ones towards them. */
  training: boolean;
  /** Added to the normalised numbers, shape of x. */
  residual?: tf.Tensor4D | undefined;
  /** Whether the result goes through max(0, .) at the end. */
  relu?: boolean;
  /** What is added to a variance; PyTorch's default if not given. */
  epsilon?: number;
}

/**
 * Batch normalisation over all but the last axis (Ioffe and Szegedy 2015) as PyTorch computes it: x [B, H, W, C], gain [C],
 * bias [C]; or of many models, each by itself, x [models * B, H, W, C], gain, bias and statistics [models, C]. In training the biased variance of the batch normalises, and the unbiased one enters the running statistics.
 * Throws a RangeError for a training batch with a single number per channel, a TypeError where training could not update.
 */
export function batchNorm(
  x: tf.Tensor4D,
  gain: Channels,
  bias: Channels,
  running: RunningStatistics,
  { training, residual, relu = false, epsilon = 1e-5 }: BatchNormOptions,
): tf.Tensor4D {
  if (training) return normalize(x, gain, bias, running, { residual, relu, epsilon });
  const scale = tf.mul(gain, tf.rsqrt(tf.add(running.variance, epsilon)));
  const shift = tf.sub(bias, tf.mul(running.mean, scale));
  const rows = x.reshape(rowsOf(x, gain));
  const y = tf.add(tf.mul(rows, scale.expandDims(-2)), shift.expandDims(-2)).reshape(x.shape);
  return rectified(residual ? tf.add(y, residual) : y, relu) as tf.Tensor4D;
}

/** A number of each channel, [C] or [models, C]. */
type Channels = tf.Tensor1D | tf.Tensor2D;

/** The shape of x with one row for each pixel: [N, C] or [models, N, C]. */
const rowsOf = (x: tf.Tensor, gain: tf.Tensor): number[] => [
  ...gain.shape.slice(0, -1),
  x.size / gain.size,
  gain.shape.at(-1) as number,
];

const rectified = (y: tf.Tensor, relu: boolean) => (relu ? tf.relu(y) : y);

/** What comes after the normalisation, and what is added to the variances in it. */
interface After<T> {
  residual: T | undefined;
  relu: boolean;
  epsilon: number;
}

function normalize(
  x: tf.Tensor4D,
  gain: Channels,
  bias: Channels,
  running: RunningStatistics,
  { residual, relu, epsilon }: After<tf.Tensor4D>,
): tf.Tensor4D {
  const count = x.size / gain.size;
  if (count < 2)
    throw new RangeError('Batch normalisation in training takes more than one number per channel.');
  if (!(running.mean instanceof tf.Variable && running.variance instanceof tf.Variable))
    throw new TypeError('Batch normalisation in training takes running statistics that are variables.');
  const rows = (tensor: tf.Tensor) => tensor.reshape(rowsOf(x, gain));
  const y = differentiable(
    [rows(x), gain, bias, ...(residual ? [rows(residual)] : [])],
    () => {
      const [value, mean, variance] = forward(rows(x), gain, bias, {
        residual: residual && rows(residual),
        ...{ relu, epsilon },
      });
      update(running.mean, mean);
      update(running.variance, tf.mul(variance, count / (count - 1)));
      return { value, saved: [rows(x), value, gain, mean, variance] };
    },
    (dy, saved) => {
      const [x, y, gain, mean, variance] = saved;
      const tensors = { dy, x, y, gain, mean, variance } as Saved;
      return backward(tensors, { residual: residual !== undefined, relu, epsilon });
    },
  );
  return y.reshape(x.shape);
}

function update(average: tf.Tensor, latest: tf.Tensor): void {
  (average as tf.Variable).assign(tf.add(tf.mul(average, 1 - momentum), tf.mul(latest, momentum)));
}

/** The result, rows as x, and the batch's means and biased variances, as the gain. */
function forward(
  x: tf.Tensor,
  gain: tf.Tensor,
  bias: tf.Tensor,
  { residual, relu, epsilon }: After<tf.Tensor>,
): [tf.Tensor, tf.Tensor, tf.Tensor] {
  if (hasKernel('SaneBatchNorm') && gain.rank === 1) {
    const outputs = runKernel('SaneBatchNorm', { x, gain, bias, residual }, { epsilon, relu });
    return outputs as [tf.Tensor, tf.Tensor, tf.Tensor];
  }
  const { mean, variance } = tf.moments(x, x.rank - 2);
  const y = tf.add(tf.mul(unit(x, mean, variance, epsilon), gain.expandDims(-2)), bias.expandDims(-2));
  return [rectified(residual ? tf.add(y, residual) : y, relu), mean, variance];
}

/** x normalised to mean 0 and variance 1. */
const unit = (x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, epsilon: number) =>
  tf.mul(tf.sub(x, mean.expandDims(-2)), tf.rsqrt(tf.add(variance, epsilon)).expandDims(-2));

type Saved = Record<'dy' | 'x' | 'y' | 'gain' | 'mean' | 'variance', tf.Tensor>;

function backward(
  saved: Saved,
  { residual, relu, epsilon }: { residual: boolean; relu: boolean; epsilon: number },
): tf.Tensor[] {
  if (hasKernel('SaneBatchNormGrad') && saved.gain.rank === 1) {
    return runKernel('SaneBatchNormGrad', saved, { epsilon, relu, residual });
  }
  const { dy, x, y, gain, mean, variance } = saved;
  const g = relu ? tf.mul(dy, tf.step(y)) : dy;
  const normalized = unit(x, mean, variance, epsilon);
  const overRows = (tensor: tf.Tensor) => tf.sum(tensor, x.rank - 2);
  const [dgain, dbias] = [overRows(tf.mul(g, normalized)), overRows(g)];
  // The mean and the variance depend on every number of the channel: their share is taken off again.
  const sums = tf.add(dbias.expandDims(-2), tf.mul(normalized, dgain.expandDims(-2)));
  const shared = tf.div(sums, x.shape.at(-2) as number);
  const scale = tf.mul(gain, tf.rsqrt(tf.add(variance, epsilon)));
  const dx = tf.mul(tf.sub(g, shared), scale.expandDims(-2));
  return [dx, dgain, dbias, ...(residual ? [g] : [])];
}
