/** Trains one model of a zoo and keeps its weights at the listed epochs. */

import type { ImageSet } from '../data/dataset.ts';
import type { Images } from '../data/stage.ts';
import { Adam, type Optimizer, type Parameter, Sgd } from '../engine/optimizers.ts';
import { Random } from '../engine/random.ts';
import { tf } from '../engine/tf.ts';
import type { Architecture, StateDict } from '../nets/architecture.ts';
import { forward } from '../nets/forward.ts';
import { initialWeights } from '../nets/init.ts';
import type { Member, ZooConfig } from './members.ts';
import type { Checkpoint } from './zoo.ts';

/** Images per forward pass of an evaluation: large, but bounded in memory. */
const evaluationBatch = 500;

export interface TrainedModel {
  checkpoints: (Checkpoint & { weights: StateDict })[];
  /** Kept epochs at which a weight or loss was not finite. */
  diverged: number[];
}

/** A split with its images normalised to float32, ready to be cut into batches. */
export interface PreparedSet {
  images: Float32Array;
  labels: Int32Array;
  shape: readonly [number, number, number];
}

export function prepare(set: ImageSet, { dataset }: Pick<Images, 'dataset'>): PreparedSet {
  const { mean, std } = dataset.normalize;
  return {
    images: Float32Array.from(set.images, (byte) => (byte / 255 - mean) / std),
    labels: Int32Array.from(set.labels),
    shape: dataset.shape,
  };
}

/** Images and labels at these positions as tensors [n, H, W, C] and [n]. */
function batchOf(
  { images, labels, shape }: PreparedSet,
  order: Int32Array,
): { x: tf.Tensor4D; y: tf.Tensor1D } {
  const size = shape[0] * shape[1] * shape[2];
  const x = new Float32Array(order.length * size);
  for (let i = 0; i < order.length; i++) {
    const from = (order[i] as number) * size;
    x.set(images.subarray(from, from + size), i * size);
  }
  const y = Int32Array.from(order, (i) => labels[i] as number);
  return { x: tf.tensor4d(x, [order.length, ...shape]), y: tf.tensor1d(y, 'int32') };
}

/** Summed cross-entropy of the logits [B, classes]. */
function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const picked = tf.mul(tf.logSoftmax(logits), tf.oneHot(labels, logits.shape[1]));
  return tf.neg(tf.sum(picked)) as tf.Scalar;
}

type Network = (weights: ReadonlyMap<string, tf.Tensor>, images: tf.Tensor4D) => tf.Tensor2D;

/** Accuracy (a fraction) and mean loss over a whole split. */
export function evaluate(
  network: Network,
  weights: ReadonlyMap<string, tf.Tensor>,
  set: PreparedSet,
): { accuracy: number; loss: number } {
  let correct = 0;
  let loss = 0;
  for (let start = 0; start < set.labels.length; start += evaluationBatch) {
    const length = Math.min(evaluationBatch, set.labels.length - start);
    const order = Int32Array.from({ length }, (_, i) => start + i);
    tf.tidy(() => {
      const { x, y } = batchOf(set, order);
      const logits = network(weights, x);
      loss += crossEntropy(logits, y).dataSync()[0] as number;
      correct += tf.sum(tf.equal(tf.argMax(logits, 1), y)).dataSync()[0] as number;
    });
  }
  return { accuracy: correct / set.labels.length, loss: loss / set.labels.length };
}

function createOptimizer(
  variables: ReadonlyMap<string, tf.Variable>,
  { optimizer, weight_decay: weightDecay }: Member['hyperparameters'],
  momentum: number,
): Optimizer {
  const parameters: Parameter[] = [...variables].map(([name, variable]) => ({ name, variable, decay: true }));
  return optimizer === 'adam'
    ? new Adam(parameters, { weightDecay })
    : new Sgd(parameters, { weightDecay, momentum });
}

/**
 * Trains a model from its seed for config.epochs, in batches of an order shuffled anew each epoch; the last batch of an
 * epoch may be smaller. `onEpoch` hears of each finished epoch and of the last test accuracy known.
 */
export function trainModel(
  architecture: Architecture,
  config: ZooConfig,
  member: Member,
  data: { train: PreparedSet; test: PreparedSet },
  onEpoch: (epoch: number, testAccuracy: number | undefined) => void = () => {},
): TrainedModel {
  const { hyperparameters, seed } = member;
  const network: Network = (weights, images) =>
    forward(architecture, weights, images, hyperparameters.activation);
  const initial = initialWeights(architecture, hyperparameters.init, seed);
  const variables = new Map(
    architecture.parameters.map(({ name, shape }) => {
      const value = tf.tensor(initial.get(name) as Float32Array, shape);
      const variable = tf.variable(value);
      value.dispose();
      return [name, variable] as const;
    }),
  );
  const list = [...variables.values()];
  const optimizer = createOptimizer(variables, hyperparameters, config.momentum);
  const result: TrainedModel = { checkpoints: [], diverged: [] };
  let testAccuracy: number | undefined;

  const keep = (epoch: number) => {
    const train = evaluate(network, variables, data.train);
    const test = evaluate(network, variables, data.test);
    const weights: StateDict = new Map();
    for (const [name, variable] of variables) weights.set(name, Float32Array.from(variable.dataSync()));
    const finite = [...weights.values()].every((values) => values.every(Number.isFinite));
    if (!finite || !Number.isFinite(train.loss) || !Number.isFinite(test.loss)) {
      result.diverged.push(epoch);
      return;
    }
    testAccuracy = test.accuracy;
    result.checkpoints.push({
      epoch,
      train_accuracy: train.accuracy,
      test_accuracy: test.accuracy,
      train_loss: train.loss,
      test_loss: test.loss,
      weights,
    });
  };

  const kept = new Set(config.checkpoints);
  if (kept.has(0)) keep(0);
  const count = data.train.labels.length;
  for (let epoch = 1; epoch <= config.epochs; epoch++) {
    const order = new Random(seed, 'zoo', 'order', epoch).permutation(count);
    for (let start = 0; start < count; start += config.batch_size) {
      const batch = order.subarray(start, Math.min(count, start + config.batch_size));
      tf.tidy(() => {
        const { x, y } = batchOf(data.train, batch);
        const loss = () => tf.div(crossEntropy(network(variables, x), y), batch.length) as tf.Scalar;
        const { value, grads } = tf.variableGrads(loss, list);
        value.dispose();
        const gradients = Object.fromEntries(
          [...variables].map(([name, variable]) => [name, grads[variable.name] as tf.Tensor]),
        );
        optimizer.step(gradients, { learningRate: hyperparameters.learning_rate });
      });
    }
    if (kept.has(epoch)) keep(epoch);
    onEpoch(epoch, testAccuracy);
  }
  optimizer.dispose();
  for (const variable of list) variable.dispose();
  return result;
}
