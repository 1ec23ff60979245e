/**
 * A population's models where no kernel computes them all: one after the other; or, where a call costs more than the little that
 * a small model computes, many at once.
 */
import { isGpu } from '../tensor/devices/registry.ts';
import { tf } from '../tensor/tf.ts';
import type { Activation, Architecture } from './architecture.ts';
import { type ForwardOptions, forward, type NamedTensors } from './forward.ts';
import { numbersPerImage, outputSize } from './shapes.ts';

export interface Network {
  architecture: Architecture;
  activation: Activation;
}

/** Images [N, H, W, C], normalised, and their labels [N], int32, on the device. */
export interface LabelledImages {
  images: tf.Tensor4D;
  labels: tf.Tensor1D;
}

/** By parameter name, each [M, ...]. */
export type PopulationWeights = NamedTensors;

/** By buffer name, each [M, C]. Networks without batch normalisation have none. */
export type PopulationBuffers = ReadonlyMap<string, tf.Variable>;

/** Models that are computed at once. */
export interface Part {
  /** The first one's place in the population. */
  start: number;
  models: number;
  /** [models, ...shape], or of one model alone [...shape]. */
  weights: NamedTensors;
  statistics: NamedTensors;
}

/** From so many numbers on, given by a model's layers, its calls have enough to do by themselves. An estimate: no GPU was there. */
const enough = 2 ** 22;

/** Numbers, 4 bytes each, that the layers of models at once may give: 256 MiB, of which gradients need several times as much. */
const most = 2 ** 26;

/**
 * How many of the models are trained at once, with so many images each. Several on GPUs alone: to call one takes as long as a small
 * model's computing.
 */
export function modelsAtOnce({ architecture }: Pick<Network, 'architecture'>, images: number): number {
  const numbers = images * numbersPerImage(architecture, true);
  if (!isGpu(tf.getBackend()) || numbers > enough) return 1;
  return Math.floor(most / numbers);
}

/** Runs `step` on all models and their running statistics, and afterwards puts these together again in `buffers`. */
export function trainParts<T>(
  weights: PopulationWeights,
  buffers: PopulationBuffers,
  atOnce: number,
  step: (part: Part) => T,
): T[] {
  const ranges = split(modelCount(weights), atOnce);
  const statistics = ranges.map((range) => {
    return new Map([...take(buffers, range)].map(([name, tensor]) => [name, tf.variable(tensor)] as const));
  });
  try {
    const results = ranges.map((range, i) =>
      step({
        ...range,
        weights: take(weights, range),
        statistics: statistics[i] as NamedTensors,
      }),
    );
    for (const [name, buffer] of buffers) {
      const parts = statistics.map((part) => part.get(name) as tf.Tensor);
      buffer.assign(tf.concat(parts.map((part) => part.reshape([-1, ...buffer.shape.slice(1)]))));
    }
    return results;
  } finally {
    tf.dispose(statistics.map((part) => [...part.values()]));
  }
}

/** What `measure` makes of each model's logits [1, B, classes] of the images from `start` on, by model and batch. */
export function evaluateEach(
  network: Network,
  weights: PopulationWeights,
  buffers: NamedTensors,
  images: tf.Tensor4D,
  measure: (logits: tf.Tensor3D, start: number) => tf.Tensor,
): tf.Tensor[][] {
  const [total, batch] = [images.shape[0], evaluationBatch(network.architecture)];
  // One after the other everywhere: batches are as large as is good for a device.
  return split(modelCount(weights), 1).map((range) => {
    const part = { ...range, weights: take(weights, range), statistics: take(buffers, range) };
    return Array.from({ length: Math.ceil(total / batch) }, (_, i) =>
      tf.tidy(() => {
        const [start, length] = [i * batch, Math.min(batch, total - i * batch)];
        const x = tf.slice(images, start, length);
        return measure(logitsOf(network, part, x, { training: false }), start);
      }),
    );
  });
}

/** Logits [models, B, classes] for the images [models * B, H, W, C]. */
export function logitsOf(
  { architecture, activation }: Network,
  { models, weights, statistics }: Part,
  images: tf.Tensor4D,
  options: Omit<ForwardOptions, 'each'>,
): tf.Tensor3D {
  const logits = forward(architecture, weights, statistics, images, activation, {
    ...options,
    each: models > 1,
  });
  return logits.reshape([models, -1, architecture.classes]);
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

type Range = Pick<Part, 'start' | 'models'>;

/** Ranges of `count` models, at most `atOnce` in each and of nearly the same size. */
function split(count: number, atOnce: number): Range[] {
  const parts = Math.ceil(count / atOnce);
  const size = Math.ceil(count / parts);
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
    start: i * size,
    models: Math.min(size, count - i * size),
  }));
}

/** The tensors of these models of the population, of one alone without the axis of models. */
function take(tensors: NamedTensors, { start, models }: Range): Map<string, tf.Tensor> {
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const part = models === tensor.shape[0] ? tensor : tf.slice(tensor, start, models);
      return [name, models === 1 ? part.reshape(tensor.shape.slice(1)) : part];
    }),
  );
}
