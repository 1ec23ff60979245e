/**
 * Batches of windows in two augmented views (section 3): each sample its own window, each view the model as it is or a random
 * permutation of it, with multiplicative noise. Everything is made on the fly, at a cost in
 * proportion to the windows; no permuted copy is stored.
 */
import type { Random } from '../engine/random.ts';
import type { SaneSettings } from '../experiment/types.ts';
import type { Architecture } from '../nets/architecture.ts';
import { axisOrders, randomOrders } from '../nets/permute.ts';
import type { LayoutLayer, TokenLayout } from './tokenize.ts';

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

/** Where the numbers of a layer come from: `outer` reorders its rows, `inner` its inputs, of `block` numbers each. */
interface LayerOrder {
  outer: Int32Array | undefined;
  inner: Int32Array | undefined;
  inputs: number;
  block: number;
}

/** The orders of each layer of the layout under fresh random orders of all hidden units. */
function randomLayerOrders(architecture: Architecture, layout: TokenLayout, random: Random): LayerOrder[] {
  const orders = axisOrders(architecture, randomOrders(architecture, random));
  const shapes = new Map(architecture.state.map(({ name, shape }) => [name, shape]));
  return layout.layers.map(({ name }) => {
    const [, inputs = 1, ...kernel] = shapes.get(name) as number[];
    const axes = orders.get(name);
    return { outer: axes?.get(0), inner: axes?.get(1), inputs, block: kernel.reduce((a, b) => a * b, 1) };
  });
}

/** Where number `index` of the flat vector, one of this layer, comes from. */
function reordered(index: number, { weight, bias }: LayoutLayer, order: LayerOrder): number {
  const { outer, inner, inputs, block } = order;
  // A bias is reordered as the rows of its weight.
  if (bias && index >= bias.start && index < bias.start + bias.length) {
    return outer ? bias.start + (outer[index - bias.start] as number) : index;
  }
  const offset = index - weight.start;
  const inBlock = offset % block;
  const pair = (offset - inBlock) / block;
  const input = pair % inputs;
  const row = (pair - input) / inputs;
  const from = (outer ? (outer[row] as number) : row) * inputs + (inner ? (inner[input] as number) : input);
  return weight.start + from * block + inBlock;
}

/** Copies a window of a model's tokens, reordered by `orders` if given and multiplied by 1 + noise e, e ~ N(0, 1). */
function copyWindow(
  { tokenSize, source, positions, layers }: TokenLayout,
  flat: Float32Array,
  firstToken: number,
  orders: LayerOrder[] | undefined,
  noise: number,
  random: Random,
  out: Float32Array,
): void {
  for (let i = 0, n = firstToken; i < out.length; n++) {
    const l = positions[3 * n + 1] as number;
    const [layer, order] = [layers[l] as LayoutLayer, orders?.[l]];
    for (let k = n * tokenSize; k < (n + 1) * tokenSize; k++, i++) {
      const index = source[k] as number;
      if (index < 0) out[i] = 0;
      else {
        const value = flat[order ? reordered(index, layer, order) : index] as number;
        out[i] = noise > 0 ? value * (1 + noise * random.normal()) : value;
      }
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
      const orders = view === 'permuted' ? randomLayerOrders(architecture, layout, random) : undefined;
      const out = views.tokens.subarray(row * perWindow, (row + 1) * perWindow);
      copyWindow(layout, flat, start, orders, settings.noise, random, out);
      const first = start * layout.tokenSize;
      for (let i = 0; i < perWindow; i++) {
        views.mask[row * perWindow + i] = (layout.source[first + i] as number) < 0 ? 0 : 1;
      }
      views.positions.set(layout.positions.subarray(3 * start, 3 * (start + window)), row * window * 3);
    }
  }
  return views;
}
