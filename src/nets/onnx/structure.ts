/**
 * The structure of an ONNX graph as layers one after the other: where paths part and meet again, a residual or a concatenation.
 * A value is computed by way of others; the nearest that all of its paths pass is where its branches begin.
 */
import { FormatError } from '../../base/source.ts';
import type { ImageSize } from '../architecture.ts';
import type { WrittenLayer } from '../written.ts';

/** What a node computes of one image. */
export interface Value {
  /** The size for one image; a vector has height and width 1. */
  size: ImageSize;
  /** How many axes it has in the graph, with that of the images: 4, or 2 for vectors. */
  rank: number;
  step: Step;
  /** The nearest value that all paths from the image to this one pass; none of the image. */
  before: Value | undefined;
  /** How many such values there are. */
  depth: number;
}

/** How a value is computed of those before. */
export type Step =
  | { kind: 'image' }
  | { kind: 'layers'; layers: WrittenLayer[]; from: Value; node: string }
  /** Part of an operation that several nodes make up, of which by itself there is no layer. */
  | { kind: 'part'; of: string; from: Value; node: string }
  | { kind: 'sum' | 'concatenation'; parts: Value[]; node: string };

/** The value of a step. */
export function makeValue(step: Exclude<Step, { kind: 'image' }>, size: ImageSize, rank: number): Value {
  const before = 'parts' in step ? step.parts.reduce(meeting) : step.from;
  return { size, rank, step, before, depth: before.depth + 1 };
}

/** The nearest value that all paths to both pass, or one of the two itself. */
function meeting(a: Value, b: Value): Value {
  let [one, other] = [a, b];
  while (one !== other) {
    if (one.depth >= other.depth) one = one.before as Value;
    else other = other.before as Value;
  }
  return one;
}

/** The layers from the image to a value. Throws a FormatError naming the node where the paths make no such structure. */
export function layersTo(value: Value): WrittenLayer[] {
  const used = new Set<Step>();
  const between = (start: Value, end: Value): WrittenLayer[] => {
    const layers: WrittenLayer[] = [];
    for (let at = end; at !== start; at = at.before as Value) {
      const { step } = at;
      if (step.kind === 'image')
        throw new FormatError('the network has paths that do not begin at the image');
      if (step.kind === 'part')
        throw new FormatError(`${step.of} (node ${step.node}) has no counterpart in the layers here`);
      if (used.has(step) && step.kind === 'layers' && step.layers.some((layer) => 'name' in layer)) {
        throw new FormatError(
          `what the node ${step.node} gives is used in several branches that neither begin nor end with it: such a structure has no counterpart in the layers here`,
        );
      }
      used.add(step);
      if (step.kind === 'layers') layers.unshift(...step.layers);
      else
        layers.unshift(
          merged(
            step.kind,
            step.parts.map((part) => between(at.before as Value, part)),
          ),
        );
    }
    return layers;
  };
  let image = value;
  while (image.before) image = image.before;
  return between(image, value);
}

function merged(kind: 'sum' | 'concatenation', branches: WrittenLayer[][]): WrittenLayer {
  if (kind === 'concatenation') return { kind: 'concatenate', branches };
  // The order of a sum says nothing: what is added as it is, is the shortcut.
  const [one, other] = branches as [WrittenLayer[], WrittenLayer[]];
  const [branch, shortcut] = one.length === 0 ? [other, one] : [one, other];
  return { kind: 'residual', branch, ...(shortcut.length > 0 && { shortcut }) };
}
