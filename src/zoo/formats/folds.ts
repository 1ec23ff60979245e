/**
 * Weights that a file holds in parts, as PyTorch's reparametrisations leave them: weight norm (Salimans and Kingma 2016, equation 2,
 * w = g v / |v|) by its old and its new names, and pruning (w = weight x mask). Such a weight is folded to the tensor that the layer uses,
 * and taken apart again where a network is written.
 */
import { sizeOf } from '../../base/shape.ts';
import { FormatError } from '../../base/source.ts';

type Shapes = ReadonlyMap<string, readonly number[]>;
type Shape = readonly number[];

/** A weight in two parts, by their names in the file. */
export interface Fold {
  name: string;
  parts: readonly [string, string];
  shape: Shape;
  fold(first: Float32Array, second: Float32Array): Float32Array;
  /** The parts of another weight. `second` is the part in the file. */
  unfold(weight: Float32Array, second: Float32Array): [Float32Array, Float32Array];
}

interface Pattern {
  /** How the parts' names end. */
  ends: readonly [string, string];
  make(shapes: [Shape, Shape], names: readonly [string, string]): Pick<Fold, 'shape' | 'fold' | 'unfold'>;
}

const patterns: readonly Pattern[] = [
  { ends: ['_g', '_v'], make: weightNorm },
  { ends: ['.original0', '.original1'], make: weightNorm },
  { ends: ['_orig', '_mask'], make: pruned },
];

/** The weights in parts among tensors of these shapes. Throws a FormatError if parts do not fit each other. */
export function findFolds(shapes: Shapes): Fold[] {
  return [...shapes.keys()].flatMap((name) =>
    patterns.flatMap(({ ends, make }): Fold[] => {
      if (!name.endsWith(ends[0])) return [];
      const stem = name.slice(0, -ends[0].length);
      if (!/(weight|bias)\w*$/.test(stem)) return [];
      const parts = [name, stem + ends[1]] as const;
      const [first, second] = parts.map((part) => shapes.get(part));
      if (!first || !second) return [];
      return [
        {
          name: stem.replace(/(^|\.)parametrizations\.(?=[^.]+$)/, '$1'),
          parts,
          ...make([first, second], parts),
        },
      ];
    }),
  );
}

/** The norm is over all axes but the one that the gains are along; gains of one number are for the whole. */
function weightNorm([gains, shape]: [Shape, Shape], names: readonly [string, string]) {
  const axis = sizeOf(gains) === 1 && shape[0] !== 1 ? -1 : gains.findIndex((n) => n !== 1);
  const along = sizeOf(gains) === 1 ? 1 : (shape[axis] as number);
  const fits = sizeOf(gains) === along && (sizeOf(gains) === 1 || gains.length === shape.length);
  if (!fits)
    throw new FormatError(
      `${names[0]} [${gains}] does not fit ${names[1]} [${shape}]: weight norm needs a gain for each row`,
    );
  const inner = axis < 0 ? sizeOf(shape) : sizeOf(shape.slice(axis + 1));
  /** Which gain a number belongs to. */
  const groupOf = (i: number) => Math.floor(i / inner) % along;
  const norms = (values: Float32Array) => {
    const squares = new Float64Array(along);
    for (let i = 0; i < values.length; i++) {
      const group = groupOf(i);
      squares[group] = (squares[group] as number) + (values[i] as number) ** 2;
    }
    return squares.map(Math.sqrt);
  };
  return {
    shape,
    fold(g: Float32Array, v: Float32Array) {
      const scales = norms(v).map((norm, i) => (g[i] as number) / norm);
      return v.map((x, i) => x * (scales[groupOf(i)] as number));
    },
    unfold: (weight: Float32Array): [Float32Array, Float32Array] => [
      Float32Array.from(norms(weight)),
      weight,
    ],
  };
}

function pruned([shape, mask]: [Shape, Shape], names: readonly [string, string]) {
  if (shape.join() !== mask.join())
    throw new FormatError(`${names[1]} [${mask}] does not fit ${names[0]} [${shape}]`);
  const masked = (weight: Float32Array, mask: Float32Array) => weight.map((x, i) => x * (mask[i] as number));
  return {
    shape,
    fold: masked,
    unfold: (weight: Float32Array, mask: Float32Array): [Float32Array, Float32Array] => [weight, mask],
  };
}
