/**
 * Layer-wise standardisation (Algorithm 1, step i). A layer's mean is the mean of its models' means, its standard deviation the
 * root of the mean of their squared unbiased standard deviations; weight and bias share both. In float64.
 */
import type { LayoutLayer, TokenLayout } from './tokenize.ts';

/** Mean and standard deviation of each layer, by the name of its weight. */
export type Standardization = Record<string, { mean: number; sd: number }>;

function* indicesOf(layer: LayoutLayer): Generator<number> {
  for (const range of [layer.weight, layer.bias]) {
    if (range) for (let i = range.start; i < range.start + range.length; i++) yield i;
  }
}

/** Statistics of the layers over models given as flat vectors. Throws if there are none, or a layer is constant. */
export function fitStandardization(layout: TokenLayout, models: readonly Float32Array[]): Standardization {
  if (models.length === 0) throw new Error('standardisation needs at least one model');
  const result: Standardization = {};
  for (const layer of layout.layers) {
    const indices = [...indicesOf(layer)];
    let means = 0;
    let variances = 0;
    for (const flat of models) {
      let sum = 0;
      for (const i of indices) sum += flat[i] as number;
      const mean = sum / indices.length;
      let squares = 0;
      for (const i of indices) squares += ((flat[i] as number) - mean) ** 2;
      means += mean;
      variances += squares / (indices.length - 1);
    }
    const sd = Math.sqrt(variances / models.length);
    if (!(sd > 0)) {
      throw new Error(
        `layer ${layer.name} is constant in every model and cannot be standardised; set sane.standardization: none`,
      );
    }
    result[layer.name] = { mean: means / models.length, sd };
  }
  return result;
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
    for (const i of indicesOf(layer)) result[i] = map(flat[i] as number, statistics.mean, statistics.sd);
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
