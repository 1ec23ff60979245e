/**
 * Weights as tokens and back (Schürholt et al. 2024, section 2 "Tokenization"). Every layer's weight becomes a matrix of one
 * row per outgoing channel, its bias the last column; rows are cut into tokens of `tokenSize` numbers, the last padded
 * with zeros. A layout is computed once per architecture, so that tokenising is a gather.
 */
import type { Architecture, StateDict } from '../nets/architecture.ts';

/** A token source: one weight with its bias. Ranges are in the flat vector of all parameters. */
export interface LayoutLayer {
  name: string;
  weight: { start: number; length: number };
  bias: { start: number; length: number } | undefined;
  firstToken: number;
  tokens: number;
}

export interface TokenLayout {
  tokenSize: number;
  /** Numbers in the flat vector: all parameters one after the other in registration order. */
  parameters: number;
  tokens: number;
  layers: LayoutLayer[];
  /** [tokens, tokenSize]: where in the flat vector each number is, or -1 for padding. */
  source: Int32Array;
  /** [tokens, 3]: (token in the model, layer, row in the layer), from 0. */
  positions: Int32Array;
}

/** The layout of an architecture's tokens. */
export function tokenLayout(architecture: Pick<Architecture, 'parameters'>, tokenSize: number): TokenLayout {
  const starts = new Map<string, number>();
  let parameters = 0;
  for (const { name, shape } of architecture.parameters) {
    starts.set(name, parameters);
    parameters += shape.reduce((a, b) => a * b, 1);
  }
  const source: number[] = [];
  const positions: number[] = [];
  const layers: LayoutLayer[] = [];
  for (const { name, shape } of architecture.parameters) {
    if (!name.endsWith('weight')) continue;
    const rows = shape[0] as number;
    const length = shape.reduce((a, b) => a * b, 1);
    const columns = length / rows;
    const weightStart = starts.get(name) as number;
    const biasStart = starts.get(name.replace(/weight$/, 'bias'));
    const width = columns + (biasStart === undefined ? 0 : 1);
    const chunks = Math.ceil(width / tokenSize);
    const firstToken = source.length / tokenSize;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < chunks * tokenSize; column++) {
        if (column < columns) source.push(weightStart + row * columns + column);
        else source.push(column < width ? (biasStart as number) + row : -1);
      }
      for (let chunk = 0; chunk < chunks; chunk++) positions.push(positions.length / 3, layers.length, row);
    }
    layers.push({
      name,
      weight: { start: weightStart, length },
      bias: biasStart === undefined ? undefined : { start: biasStart, length: rows },
      firstToken,
      tokens: rows * chunks,
    });
  }
  return {
    tokenSize,
    parameters,
    tokens: source.length / tokenSize,
    layers,
    source: Int32Array.from(source),
    positions: Int32Array.from(positions),
  };
}

/** All parameters of a model in one vector, in registration order. */
export function flatten(
  architecture: Pick<Architecture, 'name' | 'parameters'>,
  weights: StateDict,
): Float32Array {
  const parts = architecture.parameters.map(({ name, shape }) => {
    const values = weights.get(name);
    const size = shape.reduce((a, b) => a * b, 1);
    if (!values) throw new Error(`${architecture.name}: the model has no ${name}`);
    if (values.length !== size) {
      throw new Error(
        `${architecture.name}: ${name} has ${values.length} numbers, its shape [${shape}] needs ${size}`,
      );
    }
    return values;
  });
  const flat = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    flat.set(part, at);
    at += part.length;
  }
  return flat;
}

/** The opposite of `flatten`. */
export function unflatten(architecture: Pick<Architecture, 'parameters'>, flat: Float32Array): StateDict {
  const weights: StateDict = new Map();
  let at = 0;
  for (const { name, shape } of architecture.parameters) {
    const size = shape.reduce((a, b) => a * b, 1);
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

/** The flat vector of tokens [tokens, tokenSize]; what stands in padding is dropped. */
export function detokenize(layout: TokenLayout, tokens: Float32Array): Float32Array {
  const flat = new Float32Array(layout.parameters);
  for (const [at, index] of layout.source.entries()) if (index >= 0) flat[index] = tokens[at] as number;
  return flat;
}
