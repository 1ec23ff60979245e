/**
 * Layer-wise standardisation (Algorithm 1, step i). A layer's mean is the mean of its models' means, its standard deviation the
 * root of the mean of their squared unbiased standard deviations; weight and bias share both. In float64.
 */
import type { LayoutLayer, TokenLayout } from './tokenize.ts';

/** Mean and standard deviation of each layer, by the name of its weight. */
export type Standardization = Record<string, { mean: number; sd: number }>;

const rangesOf = ({ weight, bias }: LayoutLayer) => (bias ? [weight, bias] : [weight]);

/**
 * Statistics of the layers over models given as flat vectors, each of which is looked at once. Throws if there are none, a layer is
 * constant, or numbers are not finite: then `nameOf` says in which model.
 */
export function fitStandardization(
  layout: TokenLayout,
  models: Iterable<Float32Array>,
  nameOf = (index: number) => `model ${index}`,
): Standardization {
  const sums = layout.layers.map(() => ({ means: 0, variances: 0 }));
  let count = 0;
  for (const flat of models) {
    for (const [l, layer] of layout.layers.entries()) {
      const { mean, variance } = layerMoments(flat, rangesOf(layer));
      if (!Number.isFinite(mean)) {
        throw new Error(`${nameOf(count)}: layer ${layer.name} holds numbers that are not finite`);
      }
      const sum = sums[l] as (typeof sums)[number];
      sum.means += mean;
      sum.variances += variance;
    }
    count++;
  }
  if (count === 0) throw new Error('standardisation needs at least one model');
  const result: Standardization = {};
  for (const [l, { means, variances }] of sums.entries()) {
    const { name } = layout.layers[l] as LayoutLayer;
    const sd = Math.sqrt(variances / count);
    if (!(sd > 0)) {
      throw new Error(
        `layer ${name} is constant in every model and cannot be standardised; set sane.standardization: none`,
      );
    }
    result[name] = { mean: means / count, sd };
  }
  return result;
}

/** Mean and unbiased variance of one model's layer. */
function layerMoments(flat: Float32Array, ranges: readonly { start: number; length: number }[]) {
  const count = ranges.reduce((total, { length }) => total + length, 0);
  let sum = 0;
  for (const { start, length } of ranges) {
    for (let i = start; i < start + length; i++) sum += flat[i] as number;
  }
  const mean = sum / count;
  let squares = 0;
  for (const { start, length } of ranges) {
    for (let i = start; i < start + length; i++) squares += ((flat[i] as number) - mean) ** 2;
  }
  return { mean, variance: squares / (count - 1) };
}

/** Applies `map` to the numbers of each layer with the layer's statistics; a new vector. */
function mapLayers(
  layout: TokenLayout,
  flat: Float32Array,
  standardization: Standardization,
  map: (x: number, mean: number, sd: number) => number,
): Float32Array {
  const result = flat.slice();
  for (const layer of layout.layers) {
    const statistics = standardization[layer.name];
    if (!statistics) throw new Error(`no standardisation for layer ${layer.name}`);
    const { mean, sd } = statistics;
    for (const { start, length } of rangesOf(layer)) {
      for (let i = start; i < start + length; i++) result[i] = map(flat[i] as number, mean, sd);
    }
  }
  return result;
}

/** (w - mean) / sd, layer by layer. */
export function standardize(
  layout: TokenLayout,
  flat: Float32Array,
  standardization: Standardization,
): Float32Array {
  return mapLayers(layout, flat, standardization, (x, mean, sd) => (x - mean) / sd);
}

/** The opposite of `standardize`. */
export function destandardize(
  layout: TokenLayout,
  flat: Float32Array,
  standardization: Standardization,
): Float32Array {
  return mapLayers(layout, flat, standardization, (x, mean, sd) => x * sd + mean);
}
