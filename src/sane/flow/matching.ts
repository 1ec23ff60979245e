/** Flow matching (Lipman et al. 2023, straight paths): a network learns the velocity that carries normal noise to points. */
import type { Report } from '../../base/progress.ts';
import type { Random } from '../../base/random.ts';
import { AdamW } from '../../tensor/optimizers.ts';
import { tf } from '../../tensor/tf.ts';
import type { VelocityNetwork } from './velocity.ts';

export interface MatchingSettings {
  steps: number;
  batch_size: number;
  /** At first; it falls to 0 along half a cosine. */
  learning_rate: number;
}

/** As in DeepWeightFlow's released configurations. */
const weightDecay = 1e-5;

/** Steps after which the loss is read. */
const lossEvery = 250;

/** Pairs of noise and a point, and times between them, row by row. */
export interface Pairs {
  /** Standard normal [rows, size]. */
  noise: Float32Array;
  /** [rows, size]. */
  points: Float32Array;
  /** Uniform in [0, 1): [rows]. */
  times: Float32Array;
}

/** As many pairs; points are drawn with replacement, so that a batch may be larger than there are points. */
export function drawPairs(points: readonly ArrayLike<number>[], rows: number, random: Random): Pairs {
  const size = (points[0] as ArrayLike<number>).length;
  const chosen = new Float32Array(rows * size);
  for (let row = 0; row < rows; row++)
    chosen.set(points[random.integer(points.length)] as ArrayLike<number>, row * size);
  const times = Float32Array.from({ length: rows }, () => random.uniform());
  return { noise: random.normals(rows * size), points: chosen, times };
}

/**
 * The regression's loss, the mean over rows and numbers of (v(x_t, t) - (x_1 - x_0))² with x_t = (1 - t) x_0 + t x_1, x_0 noise and x_1 a point.
 * Call inside tf.tidy.
 */
export function matchingLoss(network: VelocityNetwork, { noise, points, times }: Pairs): tf.Scalar {
  const { size } = network.shape;
  const t = tf.tensor2d(times, [times.length, 1]);
  const [from, to] = [noise, points].map((values) => tf.tensor2d(values, [times.length, size])) as [
    tf.Tensor2D,
    tf.Tensor2D,
  ];
  const way = tf.sub<tf.Tensor2D>(to, from);
  const velocity = network.velocity(tf.add(from, tf.mul(t, way)), t);
  return tf.mean(tf.squaredDifference(velocity, way));
}

/** Trains the network in place on points [size]. Throws if the loss is not finite. */
export async function matchFlow(
  network: VelocityNetwork,
  points: readonly ArrayLike<number>[],
  { steps, batch_size, learning_rate }: MatchingSettings,
  random: Random,
  report?: Report,
): Promise<void> {
  const { trainable } = network;
  const optimizer = new AdamW(trainable, { weightDecay });
  const variables = trainable.map(({ variable }) => variable);
  try {
    for (let step = 0; step < steps; step++) {
      const pairs = drawPairs(points, batch_size, random);
      const learningRate = (learning_rate / 2) * (1 + Math.cos((Math.PI * step) / steps));
      const loss = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => matchingLoss(network, pairs), variables);
        const named = trainable.map(({ name, variable }) => [name, grads[variable.name] as tf.Tensor]);
        optimizer.step(Object.fromEntries(named), { learningRate });
        return value;
      });
      // Whether it is finite is seen in the last one too: weights that are not stay so.
      const value = (step + 1) % lossEvery === 0 || step === steps - 1 ? (await loss.data())[0] : undefined;
      loss.dispose();
      if (value === undefined) continue;
      if (!Number.isFinite(value)) {
        throw new Error(
          `the flow's training diverged by step ${step + 1}: the loss is ${value}. Lower generation.flow_learning_rate`,
        );
      }
      report?.({ done: step + 1, total: steps, unit: 'steps', metric: { name: 'loss', value } });
    }
  } finally {
    optimizer.dispose();
  }
}

/**
 * Where points [rows][size] at time 0 are at time 1, by the classical Runge-Kutta method of fourth order in `steps` equal steps.
 */
export async function carry(
  network: VelocityNetwork,
  points: readonly Float32Array[],
  steps: number,
): Promise<Float32Array[]> {
  const { size } = network.shape;
  const rows = points.length;
  const flat = new Float32Array(rows * size);
  for (const [row, point] of points.entries()) flat.set(point, row * size);
  const dt = 1 / steps;
  let x = tf.tensor2d(flat, [rows, size]);
  for (let step = 0; step < steps; step++) {
    const before = x;
    x = tf.tidy(() => {
      const slope = (shift: number, k?: tf.Tensor2D) =>
        network.velocity(
          k ? tf.add(before, tf.mul(k, shift)) : before,
          tf.fill([rows, 1], step * dt + shift) as tf.Tensor2D,
        );
      const k1 = slope(0);
      const k2 = slope(dt / 2, k1);
      const k3 = slope(dt / 2, k2);
      const k4 = slope(dt, k3);
      const sum = tf.addN([k1, tf.mul(k2, 2), tf.mul(k3, 2), k4]);
      return tf.add(before, tf.mul(sum, dt / 6));
    });
    before.dispose();
  }
  const values = (await x.data()) as Float32Array;
  x.dispose();
  return points.map((_, row) => values.slice(row * size, (row + 1) * size));
}
