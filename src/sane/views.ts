/**
 * Batches of windows in two augmented views (section 3): each sample its own window, each view the model as it is or a random
 * permutation of it, with multiplicative noise. Everything is made on the fly; no permuted copy is stored.
 */
import type { Random } from '../engine/random.ts';
import type { SaneSettings } from '../experiment/types.ts';
import type { Architecture } from '../nets/architecture.ts';
import { permutationIndices } from '../nets/permute.ts';
import type { TokenLayout } from './tokenize.ts';

/** Two views of `size` windows: rows of view 1, then of view 2. Positions are those of the canonical order in both. */
export interface TwoViews {
  /** 2 x windows. */
  rows: number;
  /** Tokens per window. */
  window: number;
  /** [rows, window, tokenSize]. */
  tokens: Float32Array;
  /** 1 on weights, 0 on padding; as tokens. */
  mask: Float32Array;
  /** [rows, window, 3]. */
  positions: Int32Array;
}

/** For each number of a flat vector where it comes from under a fresh random permutation of every group of hidden units. */
export function randomPermutation(architecture: Architecture, random: Random): Int32Array {
  const orders = new Map(architecture.permutations.map(({ name, size }) => [name, random.permutation(size)]));
  const indices = permutationIndices(architecture, orders);
  const sizes = architecture.state.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const result = new Int32Array(sizes.reduce((a, b) => a + b, 0));
  let start = 0;
  for (const [p, { name }] of architecture.state.entries()) {
    const index = indices.get(name);
    const size = sizes[p] as number;
    for (let i = 0; i < size; i++) result[start + i] = start + (index ? (index[i] as number) : i);
    start += size;
  }
  return result;
}

/** Copies a window of a model's tokens, reordered by `order` if given and multiplied by 1 + noise e, e ~ N(0, 1). */
function copyWindow(
  layout: TokenLayout,
  flat: Float32Array,
  firstToken: number,
  order: Int32Array | undefined,
  noise: number,
  random: Random,
  out: Float32Array,
): void {
  const first = firstToken * layout.tokenSize;
  for (let i = 0; i < out.length; i++) {
    const source = layout.source[first + i] as number;
    if (source < 0) out[i] = 0;
    else {
      const value = flat[order ? (order[source] as number) : source] as number;
      out[i] = noise > 0 ? value * (1 + noise * random.normal()) : value;
    }
  }
}

export type ViewSettings = Pick<SaneSettings, 'window' | 'noise' | 'view_1' | 'view_2'>;

/** Draws a window of each model, given as standardised flat vectors, in two views. All random draws are from `random`. */
export function drawViews(
  architecture: Architecture,
  layout: TokenLayout,
  models: readonly Float32Array[],
  settings: ViewSettings,
  random: Random,
): TwoViews {
  const window = Math.min(settings.window, layout.tokens);
  const rows = 2 * models.length;
  const perWindow = window * layout.tokenSize;
  const views: TwoViews = {
    rows,
    window,
    tokens: new Float32Array(rows * perWindow),
    mask: new Float32Array(rows * perWindow),
    positions: new Int32Array(rows * window * 3),
  };
  for (const [sample, flat] of models.entries()) {
    const start = random.integer(layout.tokens - window + 1);
    for (const [v, view] of [settings.view_1, settings.view_2].entries()) {
      const row = v * models.length + sample;
      const order = view === 'permuted' ? randomPermutation(architecture, random) : undefined;
      const out = views.tokens.subarray(row * perWindow, (row + 1) * perWindow);
      copyWindow(layout, flat, start, order, settings.noise, random, out);
      const first = start * layout.tokenSize;
      for (let i = 0; i < perWindow; i++) {
        views.mask[row * perWindow + i] = (layout.source[first + i] as number) < 0 ? 0 : 1;
      }
      views.positions.set(layout.positions.subarray(3 * start, 3 * (start + window)), row * window * 3);
    }
  }
  return views;
}
