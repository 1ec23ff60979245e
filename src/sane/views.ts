/**
 * Batches of windows in two augmented views (section 3): each sample its own window, each view the model as it is or a random
 * permutation of it (random-orders.ts), with multiplicative noise. Everything is made on the fly, at a cost in
 * proportion to the windows: no permuted copy is stored, and of a model only the numbers in the windows are looked up. No tensors
 * here: views are drawn in threads.
 */

import type { Random } from '../base/random.ts';
import { sizeOf } from '../base/shape.ts';
import type { SaneSettings } from '../experiment/types.ts';
import type { Architecture } from '../nets/architecture.ts';
import { axisOrders, composeOrders, type Permutations } from '../nets/permute.ts';
import { batchOrders, type RandomOrders } from './random-orders.ts';
import type { Standardization } from './standardize.ts';
import type { LayoutLayer, TokenLayout } from './tokenize.ts';

/** What views are drawn of. Of the architecture only this is needed. */
export interface ViewOrigin {
  architecture: Pick<Architecture, 'name' | 'state' | 'permutations'>;
  layout: TokenLayout;
}

/** Models of one zoo. */
export interface ViewKind {
  origin: ViewOrigin;
  /** What they are standardised by; null: they are as they are. */
  standardization: Standardization | null;
}

/** A model whose numbers are looked up when a window needs them. */
export interface ViewedModel extends ViewKind {
  /** What it is called; no other of its zoo is called so. Permutations of its own go by it. */
  name: string;
  /** The orders that its hidden units are put in before anything else (alignment). */
  permutations: Permutations;
  /** Copies the numbers at these places of its flat vector to `out`, 0 where a place is below 0. */
  gather(places: Int32Array, out: Float32Array): void;
}

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

/** The memory of views, which goes with them from thread to thread. */
export const buffersOf = ({ tokens, mask, positions }: TwoViews): ArrayBuffer[] =>
  [tokens, mask, positions].map(({ buffer }) => buffer as ArrayBuffer);

/** Where the numbers of a layer come from: `outer` reorders its rows, `inner` its inputs, of `block` numbers each. */
interface LayerOrder {
  outer: Int32Array | undefined;
  inner: Int32Array | undefined;
  inputs: number;
  block: number;
}

/** The orders of each layer of the layout when hidden units are permuted; undefined if none are. */
function layerOrders(
  { architecture, layout }: ViewOrigin,
  permutations: Permutations,
): LayerOrder[] | undefined {
  if (permutations.size === 0) return undefined;
  const orders = axisOrders(architecture, permutations);
  const shapes = new Map(architecture.state.map(({ name, shape }) => [name, shape]));
  return layout.layers.map(({ name }) => {
    const [, inputs = 1, ...kernel] = shapes.get(name) as number[];
    const axes = orders.get(name);
    return { outer: axes?.get(0), inner: axes?.get(1), inputs, block: sizeOf(kernel) };
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

/** Where the numbers of a window's tokens come from in the flat vector, reordered by `orders` if given; -1 for padding. */
function windowPlaces(
  { tokenSize, source, positions, layers }: TokenLayout,
  firstToken: number,
  orders: LayerOrder[] | undefined,
  places: Int32Array,
): void {
  for (let i = 0, n = firstToken; i < places.length; n++) {
    const l = positions[3 * n + 1] as number;
    const [layer, order] = [layers[l] as LayoutLayer, orders?.[l]];
    for (let k = n * tokenSize; k < (n + 1) * tokenSize; k++, i++) {
      const index = source[k] as number;
      places[i] = index >= 0 && order ? reordered(index, layer, order) : index;
    }
  }
}

/** Standardises a window's numbers in place, where they are no padding, and multiplies them by 1 + noise e, e ~ N(0, 1). */
function scaleWindow(
  { tokenSize, source, positions, layers }: TokenLayout,
  firstToken: number,
  standardization: Standardization | null,
  noise: number,
  random: Random,
  window: Float32Array,
): void {
  for (let i = 0, n = firstToken; i < window.length; n++) {
    const { name } = layers[positions[3 * n + 1] as number] as LayoutLayer;
    const statistics = standardization?.[name];
    for (let k = n * tokenSize; k < (n + 1) * tokenSize; k++, i++) {
      if ((source[k] as number) < 0) continue;
      // A standardised number is a float32, with noise or without.
      if (statistics) window[i] = ((window[i] as number) - statistics.mean) / statistics.sd;
      if (noise > 0) window[i] = (window[i] as number) * (1 + noise * random.normal());
    }
  }
}

export type ViewSettings = Pick<SaneSettings, 'window' | 'noise' | 'view_1' | 'view_2'> & {
  /** What permuted views are; left out: every one has a fresh permutation. */
  orders?: RandomOrders | undefined;
};

/** What the settings of a pretraining say of its views. */
export function viewSettings(
  settings: Omit<ViewSettings, 'orders'> &
    Pick<SaneSettings, 'permutations' | 'permutation_protocol'> & { seed: number },
): ViewSettings {
  const {
    window,
    noise,
    view_1,
    view_2,
    permutations: count,
    permutation_protocol: protocol,
    seed,
  } = settings;
  return { window, noise, view_1, view_2, orders: count === null ? undefined : { seed, count, protocol } };
}

/**
 * Draws a window of each model in two views; models of several architectures have tokens of one size. All random draws are
 * from `random`. They are written over `spent`, views that nobody needs any more, if those are of the same size.
 */
export function drawViews(
  models: readonly ViewedModel[],
  settings: ViewSettings,
  random: Random,
  spent?: TwoViews,
): TwoViews {
  const { tokenSize } = (models[0] as ViewedModel).origin.layout;
  const window = Math.min(settings.window, ...models.map(({ origin }) => origin.layout.tokens));
  const rows = 2 * models.length;
  const perWindow = window * tokenSize;
  const views =
    spent?.rows === rows && spent.window === window
      ? spent
      : {
          ...{ rows, window },
          tokens: new Float32Array(rows * perWindow),
          mask: new Float32Array(rows * perWindow),
          positions: new Int32Array(rows * window * 3),
        };
  const places = new Int32Array(perWindow);
  const ordersOf = batchOrders(settings.orders, random);
  for (const [sample, model] of models.entries()) {
    const { origin, standardization } = model;
    const { layout } = origin;
    const start = random.integer(layout.tokens - window + 1);
    for (const [v, view] of [settings.view_1, settings.view_2].entries()) {
      const row = v * models.length + sample;
      const permutations =
        view === 'permuted' ? composeOrders(model.permutations, ordersOf(model, v)) : model.permutations;
      const out = views.tokens.subarray(row * perWindow, (row + 1) * perWindow);
      windowPlaces(layout, start, layerOrders(origin, permutations), places);
      model.gather(places, out);
      scaleWindow(layout, start, standardization, settings.noise, random, out);
      const first = start * layout.tokenSize;
      for (let i = 0; i < perWindow; i++) {
        views.mask[row * perWindow + i] = (layout.source[first + i] as number) < 0 ? 0 : 1;
      }
      views.positions.set(layout.positions.subarray(3 * start, 3 * (start + window)), row * window * 3);
    }
  }
  return views;
}
