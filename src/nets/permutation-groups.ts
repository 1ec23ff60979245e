/**
 * Which hidden units may be reordered together, found by following the channels through the layers (Ainsworth et al. 2023,
 * section 3, write such lists by hand).
 *
 * A convolution in groups sees, for each part of its outputs, one part of its inputs only. The parts may be reordered as wholes: part j of
 * the inputs and part j of the outputs move together, so that the units there are the parts, and of a depthwise convolution the channels.
 * Within a part nothing is reordered: the order of its inputs would be another one for other rows of the same weight, which no
 * permutation of an axis is.
 */
import { type ImageSize, type Layer, normParts, type PermutationGroup } from './architecture.ts';
import { outputSize } from './shapes.ts';

/** Units with an order of their own. Those that are added to each other are `joined` to the one that was there first. */
interface Units {
  /** How many; every axis has as many equal blocks of positions. */
  size: number;
  axes: { parameter: string; axis: number; start: number; length: number }[];
  joined?: Units;
}

/** Consecutive channels of a feature map, ordered by `units`. */
interface Segment {
  units: Units;
  channels: number;
}

/**
 * The permutation groups of layers that get images of this size, in the order in which their units first occur. The
 * image's channels and the last layer's outputs mean something and stay where they are.
 */
export function permutationGroups(layers: readonly Layer[], input: ImageSize): PermutationGroup[] {
  const all: Units[] = [];
  const open = (channels: number): Segment => {
    const units = { size: channels, axes: [] };
    all.push(units);
    return { units, channels };
  };

  /** The channels behind the layers, for those before them: one or several segments after each other. */
  const follow = (layers: readonly Layer[], before: Segment[], input: ImageSize): Segment[] => {
    let [stream, size] = [before, input];
    for (const layer of layers) {
      switch (layer.kind) {
        case 'conv2d':
        case 'linear': {
          const groups = layer.kind === 'conv2d' ? (layer.groups ?? 1) : 1;
          const weight = `${layer.name}.weight`;
          if (groups > 1) stream = inParts(stream, groups, layer.outputs / layer.inputs);
          else {
            mark(stream, weight, 1);
            stream = [open(layer.outputs)];
          }
          mark(stream, weight, 0);
          if (layer.bias !== false) mark(stream, `${layer.name}.bias`, 0);
          break;
        }
        case 'batch-norm':
        case 'layer-norm':
          for (const part of normParts[layer.kind]) mark(stream, `${layer.name}.${part}`, 0);
          break;
        case 'flatten':
          // Channels come first: each is as many numbers as it has pixels.
          stream = stream.map(({ units, channels }) => ({ units, channels: channels * size[0] * size[1] }));
          break;
        case 'residual':
          stream = join(follow(layer.branch, stream, size), follow(layer.shortcut, stream, size), all);
          break;
        case 'concatenate':
          stream = layer.branches.flatMap((branch) => follow(branch, stream, size));
          break;
      }
      size = outputSize(layer, size);
    }
    return stream;
  };

  const image = open(input[2]);
  const fixed = new Set([image, ...follow(layers, [image], input)].map(({ units }) => root(units)));
  return all
    .filter((units) => !units.joined && !fixed.has(units))
    .map(({ size, axes }, i) => ({
      ...{ name: `P${i}`, size },
      axes: axes.map(({ parameter, axis, start, length }) => ({
        ...{ parameter, axis },
        ...(start > 0 ? { start } : {}),
        ...(length > size ? { block: length / size } : {}),
      })),
    }));
}

function root(units: Units): Units {
  return units.joined ? root(units.joined) : units;
}

/** Notes that an axis is ordered as the channels of `stream`. */
function mark(stream: readonly Segment[], parameter: string, axis: number): void {
  let start = 0;
  for (const { units, channels } of stream) {
    root(units).axes.push({ parameter, axis, start, length: channels });
    start += channels;
  }
}

/** The channels behind a convolution in groups that has so many times as many outputs as inputs: those before, in order of its parts. */
function inParts(stream: readonly Segment[], groups: number, times: number): Segment[] {
  const sum = stream.reduce((sum, { channels }) => sum + channels, 0);
  const part = sum / groups;
  if (stream.some(({ channels }) => channels % part !== 0)) {
    // Parts reach from one segment into another: all stay where they are.
    for (const { units } of stream) root(units).size = 1;
    return [{ units: (stream[0] as Segment).units, channels: sum * times }];
  }
  return stream.map(({ units, channels }) => {
    const own = root(units);
    own.size = commonDivisor(own.size, channels / part);
    return { units: own, channels: channels * times };
  });
}

/** Makes units one where they are added, position by position. Where they begin and end at other places, they stay where they are. */
function join(a: readonly Segment[], b: readonly Segment[], order: readonly Units[]): Segment[] {
  const widths = (stream: readonly Segment[]) => stream.map(({ channels }) => channels).join();
  if (widths(a) !== widths(b)) {
    for (const { units } of [...a, ...b]) root(units).size = 1;
    return [...a];
  }
  return a.map(({ units, channels }, i) => {
    const [one, other] = [root(units), root((b[i] as Segment).units)];
    if (one === other) return { units: one, channels };
    const [first, second] = order.indexOf(one) < order.indexOf(other) ? [one, other] : [other, one];
    first.size = commonDivisor(first.size, second.size);
    first.axes.push(...second.axes);
    second.joined = first;
    return { units: first, channels };
  });
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
