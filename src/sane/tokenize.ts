/**
 * Weights as tokens and back (Schürholt et al. 2024, section 2 "Tokenization"). Every layer's weight becomes a matrix of one
 * row per outgoing channel, its bias the last column; rows are cut into tokens of `tokenSize` numbers, the last padded
 * with zeros. A layout is computed once per architecture, so that tokenising is a gather.
 */
import { sizeOf } from '../base/shape.ts';
import type { Architecture, StateDict } from '../nets/architecture.ts';

/** A token source: one weight with its bias. Ranges are in the flat vector of the whole state. */
export interface LayoutLayer {
  name: string;
  weight: { start: number; length: number };
  bias: { start: number; length: number } | undefined;
  firstToken: number;
  tokens: number;
}

export interface TokenLayout {
  tokenSize: number;
  /** Numbers in the flat vector: the whole state, one tensor after the other. */
  numbers: number;
  tokens: number;
  layers: LayoutLayer[];
  /** [tokens, tokenSize]: where in the flat vector each number is, or -1 for padding. */
  source: Int32Array;
  /** [tokens, 3]: (token in the model, layer, row in the layer), from 0. */
  positions: Int32Array;
  /** Ranges of the flat vector that are in no token. */
  untokenized: { start: number; length: number }[];
}

/**
 * The layout of an architecture's tokens. The paper leaves batch normalisation out; with `batchNorm` its gains and biases are
 * a layer of two columns, and its running means and variances are layers of one.
 */
export function tokenLayout(
  { state, buffers }: Pick<Architecture, 'state' | 'buffers'>,
  tokenSize: number,
  batchNorm = false,
): TokenLayout {
  const starts = new Map<string, number>();
  let numbers = 0;
  for (const { name, shape } of state) {
    starts.set(name, numbers);
    numbers += sizeOf(shape);
  }
  const norms = new Set(buffers.map(({ name }) => name.slice(0, name.lastIndexOf('.'))));
  const sources = state.filter(({ name }) => {
    if (!batchNorm && norms.has(name.slice(0, name.lastIndexOf('.')))) return false;
    return /(weight|running_mean|running_var)$/.test(name);
  });
  let tokens = 0;
  const layers = sources.map(({ name, shape }): LayoutLayer & { columns: number; width: number } => {
    const rows = shape[0] as number;
    const length = sizeOf(shape);
    const bias = name.endsWith('weight') ? starts.get(name.replace(/weight$/, 'bias')) : undefined;
    const width = length / rows + (bias === undefined ? 0 : 1);
    const firstToken = tokens;
    tokens += rows * Math.ceil(width / tokenSize);
    return {
      name,
      weight: { start: starts.get(name) as number, length },
      bias: bias === undefined ? undefined : { start: bias, length: rows },
      firstToken,
      tokens: tokens - firstToken,
      ...{ columns: length / rows, width },
    };
  });
  const source = new Int32Array(tokens * tokenSize).fill(-1);
  const positions = new Int32Array(tokens * 3);
  for (const [l, { weight, bias, firstToken, tokens: count, columns, width }] of layers.entries()) {
    const chunks = Math.ceil(width / tokenSize);
    for (let row = 0, n = firstToken; row < count / chunks; row++) {
      // A row's numbers lie one after the other in its tokens; the padding is at the end of the last.
      const at = n * tokenSize;
      for (let column = 0; column < columns; column++) {
        source[at + column] = weight.start + row * columns + column;
      }
      if (bias) source[at + columns] = bias.start + row;
      for (let chunk = 0; chunk < chunks; chunk++, n++) positions.set([n, l, row], 3 * n);
    }
  }
  const tokenized = new Set(layers.flatMap(({ weight, bias }) => [weight.start, bias?.start]));
  return {
    ...{ tokenSize, numbers, tokens, source, positions },
    layers: layers.map(({ columns: _, width: __, ...layer }) => layer),
    untokenized: state
      .map(({ name, shape }) => ({ start: starts.get(name) as number, length: sizeOf(shape) }))
      .filter(({ start }) => !tokenized.has(start)),
  };
}

/** A model's whole state in one vector. */
export function flatten(
  { name: architecture, state }: Pick<Architecture, 'name' | 'state'>,
  weights: StateDict,
): Float32Array {
  const flat = new Float32Array(state.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let at = 0;
  for (const { name, shape } of state) {
    const values = weights.get(name);
    const size = sizeOf(shape);
    if (!values) throw new Error(`${architecture}: the model has no ${name}`);
    if (values.length !== size) {
      throw new Error(
        `${architecture}: ${name} has ${values.length} numbers, its shape [${shape}] needs ${size}`,
      );
    }
    flat.set(values, at);
    at += size;
  }
  return flat;
}

/** The opposite of `flatten`. */
export function unflatten({ state }: Pick<Architecture, 'state'>, flat: Float32Array): StateDict {
  const weights: StateDict = new Map();
  let at = 0;
  for (const { name, shape } of state) {
    const size = sizeOf(shape);
    weights.set(name, flat.slice(at, at + size));
    at += size;
  }
  return weights;
}

/** Tokens [tokens, tokenSize] of a flat vector; padding is 0. */
export function tokenize(layout: TokenLayout, flat: Float32Array): Float32Array {
  const { source } = layout;
  const tokens = new Float32Array(source.length);
  for (let i = 0; i < source.length; i++) {
    const index = source[i] as number;
    if (index >= 0) tokens[i] = flat[index] as number;
  }
  return tokens;
}

/** The flat vector of tokens [tokens, tokenSize]; what stands in padding is dropped, what no token holds is 0. */
export function detokenize(layout: TokenLayout, tokens: Float32Array): Float32Array {
  const flat = new Float32Array(layout.numbers);
  for (let at = 0; at < tokens.length; at++) {
    const index = layout.source[at] as number;
    if (index >= 0) flat[index] = tokens[at] as number;
  }
  return flat;
}

/** A copy of a flat vector in which the numbers that no token holds are those of `other`. */
export function withUntokenized(layout: TokenLayout, flat: Float32Array, other: Float32Array): Float32Array {
  const result = flat.slice();
  for (const { start, length } of layout.untokenized) {
    result.set(other.subarray(start, start + length), start);
  }
  return result;
}
