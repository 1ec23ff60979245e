/** One layer in full: its spectrum, and how far apart the embeddings of its tokens lie (the paper's figure 7). */
import { histogram } from '../../base/histogram.ts';
import type { StateDict } from '../../nets/architecture.ts';
import { spectralLayers } from '../../nets/weightwatcher/features.ts';
import { eigenvalues } from '../../nets/weightwatcher/spectrum.ts';
import type { Embedded } from '../../sane/layer-features.ts';

export interface Example {
  layer: string;
  /** Ascending. */
  eigenvalues: number[];
  /** How many pairs of tokens have a distance in each of the equal parts of 0 to `largest`. */
  distances: { largest: number; counts: number[] };
}

/** Tokens that are compared, evenly spaced in the layer where it has more. */
const mostTokens = 500;
const parts = 50;

/** Of the layer with most weights, the first of several; null where no layer has a spectrum. */
export function exampleOf(
  shapes: ReadonlyMap<string, readonly number[]>,
  weights: StateDict,
  { layout, z, latent }: Embedded,
): Example | null {
  const size = (name: string) => weights.get(name)?.length ?? 0;
  const [name] = spectralLayers(shapes).toSorted((a, b) => size(b) - size(a));
  const layer = layout.layers.find((one) => one.name === name);
  if (!layer) return null;
  const spectrum = eigenvalues(
    shapes.get(layer.name) as readonly number[],
    weights.get(layer.name) as Float32Array,
  );
  const { firstToken, tokens } = layer;
  const count = Math.min(tokens, mostTokens);
  const chosen = Array.from({ length: count }, (_, i) => {
    const token = firstToken + Math.floor((i * tokens) / count);
    return z.subarray(token * latent, (token + 1) * latent);
  });
  const all = distances(chosen);
  const largest = all.reduce((most, value) => Math.max(most, value), 0);
  const counts = histogram(all, 0, largest, parts);
  return { layer: layer.name, eigenvalues: [...spectrum], distances: { largest, counts } };
}

/** Euclidean, of each pair once. */
function distances(points: readonly Float32Array[]): number[] {
  return points.flatMap((a, i) =>
    points.slice(i + 1).map((b) => Math.hypot(...a.map((value, d) => value - (b[d] as number)))),
  );
}
