/** Accuracies of networks given by their weights, and fresh batch-norm statistics for them, many at once on the device. */

import type { Random } from '../base/random.ts';
import { sizeOf } from '../base/shape.ts';
import { tf } from '../tensor/tf.ts';
import type { Architecture, StateDict } from './architecture.ts';
import {
  conditionPopulation,
  type LabelledImages,
  type Network,
  populationLogits,
  populationScores,
} from './population.ts';

/** Networks scored at a time. */
const group = 64;

/** The accuracy of each network on these images, a fraction. Weights that are not finite give chance or less, never an error. */
export async function accuracies(
  network: Network,
  models: readonly StateDict[],
  images: LabelledImages,
): Promise<number[]> {
  const result: number[] = [];
  for (let start = 0; start < models.length; start += group) {
    const part = models.slice(start, start + group);
    const tensors = stack(network.architecture, part);
    result.push(...(await populationScores(network, tensors, tensors, images)).accuracies);
    tf.dispose([...tensors.values()]);
  }
  return result;
}

/** Which images each network gets wrong: a 1 for each that it does, else 0. */
export async function errorsOf(
  network: Network,
  models: readonly StateDict[],
  { images, labels }: LabelledImages,
): Promise<Uint8Array[]> {
  const result: Uint8Array[] = [];
  // One after the other, as all logits of many models need not fit into memory.
  for (const model of models) {
    const tensors = stack(network.architecture, [model]);
    const wrong = tf.tidy(() => {
      const logits = populationLogits(network, tensors, tensors, images).squeeze<tf.Tensor2D>([0]);
      return tf.notEqual(tf.argMax(logits, 1), labels);
    });
    result.push(Uint8Array.from(await wrong.data()));
    tf.dispose([wrong, ...tensors.values()]);
  }
  return result;
}

/** The accuracy of the networks together, a fraction: each image's class is that of the largest mean logit. */
export async function ensembleAccuracy(
  network: Network,
  models: readonly StateDict[],
  { images, labels }: LabelledImages,
): Promise<number> {
  const tensors = stack(network.architecture, models);
  const accuracy = tf.tidy(() => {
    const logits = populationLogits(network, tensors, tensors, images);
    return tf.mean(tf.cast(tf.equal(tf.argMax(tf.mean(logits, 0), 1), labels), 'float32'));
  });
  const [value] = await accuracy.data();
  tf.dispose([accuracy, ...tensors.values()]);
  return value as number;
}

export interface Conditioning {
  /** Forward passes; 0: none. */
  batches: number;
  /** Images of each. */
  size: number;
}

/**
 * Refreshes the running statistics of batch normalisation (Algorithm 3, step v): forward passes in training mode over random
 * batches, the same for every network, that change nothing else. Networks without batch normalisation stay as they are.
 */
export async function condition(
  network: Network,
  models: readonly StateDict[],
  images: tf.Tensor4D,
  { batches, size }: Conditioning,
  random: Random,
): Promise<StateDict[]> {
  const { architecture } = network;
  if (architecture.buffers.length === 0 || batches === 0) return [...models];
  const orders = Array.from({ length: batches }, () =>
    Int32Array.from({ length: size }, () => random.integer(images.shape[0])),
  );
  const result: StateDict[] = [];
  for (let start = 0; start < models.length; start += group) {
    const part = models.slice(start, start + group);
    const tensors = stack(architecture, part);
    const buffers = new Map(
      architecture.buffers.map(({ name }) => [name, tf.variable(tensors.get(name) as tf.Tensor)] as const),
    );
    for (const order of orders) {
      tf.tidy(() => {
        const same = tf.tile(tf.tensor2d(order, [1, size], 'int32'), [part.length, 1]) as tf.Tensor2D;
        conditionPopulation(network, tensors, buffers, images, same);
      });
      // Lets reports and signals through.
      await Bun.sleep(0);
    }
    const refreshed = new Map<string, Float32Array>();
    for (const [name, buffer] of buffers) refreshed.set(name, await buffer.data<'float32'>());
    for (const [m, model] of part.entries()) {
      const own = [...refreshed].map(([name, all]) => {
        const count = all.length / part.length;
        return [name, all.slice(m * count, (m + 1) * count)] as const;
      });
      result.push(new Map([...model, ...own]));
    }
    tf.dispose([...tensors.values(), ...buffers.values()]);
  }
  return result;
}

/** Weights and buffers by name, each [models, ...shape]. The caller disposes of them. */
function stack({ state }: Architecture, models: readonly StateDict[]): Map<string, tf.Tensor> {
  return new Map(
    state.map(({ name, shape }) => {
      const size = sizeOf(shape);
      const all = new Float32Array(models.length * size);
      for (const [m, model] of models.entries()) all.set(model.get(name) as Float32Array, m * size);
      return [name, tf.tensor(all, [models.length, ...shape])];
    }),
  );
}
