/** A network as the rows of its layers, one token each: what the hyper-representation sees, always the whole of it. */
import type { Outline } from '../../nets/architecture.ts';
import type { Standardization } from '../standardize.ts';
import { type TokenLayout, tokenLayout } from '../tokenize.ts';

/** Rows of a layer and the numbers of each, its bias among them. */
export interface LayerRows {
  rows: number;
  width: number;
}

/** The rows of every layer, and the layout that has one token for each: as long as the longest row, the others padded. */
export function rowLayout(architecture: Outline): { layout: TokenLayout; layers: LayerRows[] } {
  const shapes = new Map(architecture.state.map(({ name, shape }) => [name, shape]));
  const layers = tokenLayout(architecture, 1).layers.map(({ name, tokens }) => {
    const [rows] = shapes.get(name) as [number];
    return { rows, width: tokens / rows };
  });
  const layout = tokenLayout(architecture, Math.max(...layers.map(({ width }) => width)));
  return { layout, layers };
}

/** The least scale of a layer, so that one that hardly varies is not blown up. */
const leastScale = 1e-4;

/**
 * Scales of layer-wise loss normalisation (Schürholt et al. 2022): the standard deviation of all numbers that the models have in
 * a layer, in float64, in two passes over the models. Dividing the weights by them, which are not centred, makes the plain squared error the normalised one.
 */
export function layerScales(layout: TokenLayout, models: () => Iterable<Float32Array>): Standardization {
  /** The mean of a term over all numbers of each layer. */
  const means = (term: (x: number, layer: number) => number): Float64Array => {
    const sums = new Float64Array(layout.layers.length);
    const counts = new Float64Array(layout.layers.length);
    for (const flat of models()) {
      for (const [l, { weight, bias }] of layout.layers.entries()) {
        let sum = sums[l] as number;
        for (const { start, length } of bias ? [weight, bias] : [weight]) {
          for (let i = start; i < start + length; i++) sum += term(flat[i] as number, l);
          counts[l] = (counts[l] as number) + length;
        }
        sums[l] = sum;
      }
    }
    return sums.map((sum, l) => sum / (counts[l] as number));
  };
  const mean = means((x) => x);
  const variance = means((x, l) => (x - (mean[l] as number)) ** 2);
  return Object.fromEntries(
    layout.layers.map(({ name }, l) => [
      name,
      { mean: 0, sd: Math.max(leastScale, Math.sqrt(variance[l] as number)) },
    ]),
  );
}
