/**
 * Which hidden units may be reordered together, found by following the channels through the layers (Ainsworth et al. 2023,
 * section 3, write such lists by hand).
 */
import type { Layer, PermutationGroup, PermutedAxis } from './architecture.ts';

/** Units with an order of their own. Those that are added to each other are `joined` to the one that was there first. */
interface Units {
  size: number;
  axes: PermutedAxis[];
  joined?: Units;
}

/**
 * The permutation groups of layers that get images of so many channels, in the order in which their units first occur. The
 * image's channels and the last layer's outputs mean something and stay where they are.
 */
export function permutationGroups(layers: readonly Layer[], channels: number): PermutationGroup[] {
  const all: Units[] = [];
  const open = (size: number): Units => {
    const units = { size, axes: [] };
    all.push(units);
    return units;
  };

  /** The channels behind the layers, for those before them: one or several after each other. */
  const follow = (layers: readonly Layer[], before: Units[]): Units[] => {
    let stream = before;
    for (const layer of layers) {
      switch (layer.kind) {
        case 'conv2d':
        case 'linear': {
          mark(stream, `${layer.name}.weight`, 1, layer.inputs);
          stream = [open(layer.outputs)];
          mark(stream, `${layer.name}.weight`, 0, layer.outputs);
          if (layer.kind === 'linear' || layer.bias !== false) {
            mark(stream, `${layer.name}.bias`, 0, layer.outputs);
          }
          break;
        }
        case 'batch-norm':
          for (const part of ['weight', 'bias', 'running_mean', 'running_var']) {
            mark(stream, `${layer.name}.${part}`, 0, layer.channels);
          }
          break;
        case 'residual':
          stream = join(follow(layer.branch, stream), follow(layer.shortcut, stream), all);
          break;
        case 'concatenate':
          stream = [...stream, ...follow(layer.branch, stream)];
          break;
      }
    }
    return stream;
  };

  const image = open(channels);
  const fixed = new Set([image, ...follow(layers, [image])].map(root));
  return all
    .filter((units) => !units.joined && !fixed.has(units))
    .map(({ size, axes }, i) => ({ name: `P${i}`, size, axes }));
}

function root(units: Units): Units {
  return units.joined ? root(units.joined) : units;
}

/** Notes that an axis of `length` is ordered as the channels of `stream`, which may each have several positions on it. */
function mark(stream: readonly Units[], parameter: string, axis: number, length: number): void {
  const block = length / stream.reduce((sum, { size }) => sum + size, 0);
  let start = 0;
  for (const units of stream) {
    root(units).axes.push({
      ...{ parameter, axis },
      ...(start > 0 ? { start } : {}),
      ...(block > 1 ? { block } : {}),
    });
    start += block * units.size;
  }
}

/** Makes units one where they are added, position by position. */
function join(a: readonly Units[], b: readonly Units[], order: readonly Units[]): Units[] {
  if (a.map(({ size }) => size).join() !== b.map(({ size }) => size).join()) {
    throw new Error('a residual adds channels that were concatenated from other parts than its own');
  }
  return a.map((units, i) => {
    const [one, other] = [root(units), root(b[i] as Units)];
    if (one === other) return one;
    const [first, second] = order.indexOf(one) < order.indexOf(other) ? [one, other] : [other, one];
    first.axes.push(...second.axes);
    second.joined = first;
    return first;
  });
}
