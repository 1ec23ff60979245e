/** A network as the rows of its layers, one token each: what the hyper-representation sees, always the whole of it. */
import type { Architecture } from '../../nets/architecture.ts';
import type { Standardization } from '../standardize.ts';
import { type TokenLayout, tokenLayout } from '../tokenize.ts';

/** Rows of a layer and the numbers of each, its bias among them. */
export interface LayerRows {
  rows: number;
  width: number;
}

/** The rows of every layer, and the layout that has one token for each: as long as the longest row, the others padded. */
export function rowLayout(architecture: Architecture): { layout: TokenLayout; layers: LayerRows[] } {
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
 * a layer, in float64. Dividing the weights by them, which are not centred, makes the plain squared error the normalised one.
 */
export function layerScales(layout: TokenLayout, models: readonly Float32Array[]): Standardization {
  const scales: Standardization = {};
  for (const { name, weight, bias } of layout.layers) {
    const numbers = models.flatMap((flat) =>
      [weight, ...(bias ? [bias] : [])].map(({ start, length }) => flat.subarray(start, start + length)),
    );
    const count = numbers.reduce((sum, part) => sum + part.length, 0);
    const sum = (term: (x: number) => number) =>
      numbers.reduce((total, part) => part.reduce((partial, x) => partial + term(x), total), 0);
    const mean = sum((x) => x) / count;
    const variance = sum((x) => (x - mean) ** 2) / count;
    scales[name] = { mean: 0, sd: Math.max(leastScale, Math.sqrt(variance)) };
  }
  return scales;
}
