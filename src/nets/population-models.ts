/** A population's models one after the other, each with weights and running statistics of its own. */
import { tf } from '../engine/tf.ts';
import type { Activation, Architecture } from './architecture.ts';
import { forward, type NamedTensors } from './forward.ts';
import { outputSize } from './shapes.ts';

export interface Network {
  architecture: Architecture;
  activation: Activation;
}

/** By parameter name, each [M, ...]. */
export type PopulationWeights = NamedTensors;

/** By buffer name, each [M, C]. Networks without batch normalisation have none. */
export type PopulationBuffers = ReadonlyMap<string, tf.Variable>;

/** Runs `step` on each model and its running statistics, and afterwards puts these together again in `buffers`. */
export function trainEach<T>(
  weights: PopulationWeights,
  buffers: PopulationBuffers,
  step: (model: NamedTensors, statistics: NamedTensors, m: number) => T,
): T[] {
  const count = modelCount(weights);
  const statistics = split(buffers, count).map(
    (model) => new Map([...model].map(([name, tensor]) => [name, tf.variable(tensor)] as const)),
  );
  try {
    const results = split(weights, count).map((model, m) => step(model, statistics[m] as NamedTensors, m));
    for (const [name, buffer] of buffers) {
      buffer.assign(tf.stack(statistics.map((model) => model.get(name) as tf.Tensor)));
    }
    return results;
  } finally {
    tf.dispose(statistics.map((model) => [...model.values()]));
  }
}

/** What `measure` makes of each model's logits [B, classes] of the images from `start` on, batch by batch. */
export function evaluateEach(
  { architecture, activation }: Network,
  weights: PopulationWeights,
  buffers: NamedTensors,
  images: tf.Tensor4D,
  measure: (logits: tf.Tensor2D, start: number) => tf.Tensor,
): tf.Tensor[][] {
  const count = modelCount(weights);
  const statistics = split(buffers, count);
  const [total, batch] = [images.shape[0], evaluationBatch(architecture)];
  return split(weights, count).map((model, m) =>
    Array.from({ length: Math.ceil(total / batch) }, (_, i) =>
      tf.tidy(() => {
        const [start, length] = [i * batch, Math.min(batch, total - i * batch)];
        const x = tf.slice(images, start, length);
        const running = statistics[m] as NamedTensors;
        return measure(forward(architecture, model, running, x, activation, { training: false }), start);
      }),
    ),
  );
}

/** Images per forward pass: many, but no feature map of theirs with more than 2^24 numbers. */
function evaluationBatch({ layers, input }: Architecture): number {
  let size = input;
  let largest = 0;
  for (const layer of layers) {
    largest = Math.max(largest, size[0] * size[1] * size[2]);
    size = outputSize(layer, size);
  }
  return Math.max(1, Math.min(500, Math.floor(2 ** 24 / largest)));
}

function modelCount(weights: PopulationWeights): number {
  const [first] = weights.values();
  return first?.shape[0] ?? 0;
}

/** The tensors of each of `count` models. */
function split(tensors: NamedTensors, count: number): Map<string, tf.Tensor>[] {
  const parts = [...tensors].map(([name, tensor]) => [name, tf.unstack(tensor)] as const);
  return Array.from(
    { length: count },
    (_, m) => new Map(parts.map(([name, models]) => [name, models[m] as tf.Tensor])),
  );
}
