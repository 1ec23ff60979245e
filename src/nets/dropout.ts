/** Dropout whose masks are a function of seed, image, layer and position, so that every device draws the same. */
import { tf } from '../tensor/tf.ts';

export interface DropoutMasks {
  /** Of each model: the share of numbers that are dropped, in [0, 1). */
  rates: readonly number[];
  /** Of each model, 32 bits, for instance by its own seed and the epoch. */
  seeds: readonly number[];
  /** Position in its epoch of the batch's first image. */
  start: number;
}

/** A bijection of 32 bits that scatters them (the finaliser of MurmurHash3, Appleby 2011). */
function scatter(bits: number): number {
  let h = bits;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A step between the counters that are scattered: 2^32 over the golden ratio. */
const step = 0x9e3779b9;

/**
 * `value` [models * B, ...] of the models from `first` on after dropout: each number times 0 or 1 / (1 - rate). `layer` counts
 * the layers with parameters, from 0.
 */
export function applyDropout(
  masks: DropoutMasks,
  first: number,
  layer: number,
  value: tf.Tensor,
  models = 1,
): tf.Tensor {
  const factors = new Float32Array(value.size);
  const size = value.size / models;
  const batch = (value.shape[0] as number) / models;
  for (let m = 0; m < models; m++) {
    fillFactors(factors.subarray(m * size, (m + 1) * size), masks, first + m, layer, batch);
  }
  return tf.mul(value, tf.tensor(factors, value.shape));
}

/** The factors of one model's numbers for `batch` images. */
function fillFactors(
  factors: Float32Array,
  { rates, seeds, start }: DropoutMasks,
  model: number,
  layer: number,
  batch: number,
): void {
  const rate = Math.fround(rates[model] as number);
  const kept = 1 / (1 - rate);
  const size = factors.length / batch;
  for (let b = 0; b < batch; b++) {
    const seed = scatter(((seeds[model] as number) + Math.imul(start + b, step)) ^ layer);
    for (let i = 0; i < size; i++) {
      const number = scatter(seed + Math.imul(i, step)) >>> 8;
      factors[b * size + i] = number >= rate * 16777216 ? kept : 0;
    }
  }
}
