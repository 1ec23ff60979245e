import type { Architecture, ImageSize, Layer } from './architecture.ts';

/**
 * The size of what a layer gives for one image or feature map; a vector has height and width 1. Throws an error naming the
 * layer if it does not take such a size.
 */
export function outputSize(layer: Layer, input: ImageSize): ImageSize {
  const [height, width, channels] = input;
  const needs = (wanted: number, given: number) => {
    if (wanted === given) return;
    throw new Error(
      `${'name' in layer ? layer.name : layer.kind} takes ${wanted} channels, it gets ${given}`,
    );
  };
  switch (layer.kind) {
    case 'conv2d': {
      needs(layer.inputs, channels);
      const { name, kernel, outputs, stride = 1, padding = 0, dilation = 1, groups = 1 } = layer;
      if (channels % groups !== 0 || outputs % groups !== 0) {
        throw new Error(
          `${name} has ${channels} and ${outputs} channels, which are not divisible into ${groups} groups`,
        );
      }
      const span = dilation * (kernel - 1) + 1;
      return positive(name, [height, width], { kernel: span, stride, padding }, outputs);
    }
    case 'linear':
      if (height * width > 1) {
        throw new Error(
          `${layer.name} takes a vector, it gets ${input.join(' x ')}: put flatten or global-average-pool before it`,
        );
      }
      needs(layer.inputs, channels);
      return [1, 1, layer.outputs];
    case 'batch-norm':
    case 'layer-norm':
      needs(layer.channels, channels);
      return input;
    case 'max-pool':
    case 'average-pool': {
      const windows = windowsOf(layer);
      if (windows.padding > windows.kernel / 2) {
        throw new Error(
          `${layer.kind} has a padding of ${windows.padding}, more than half of its kernel of ${windows.kernel}`,
        );
      }
      return positive(layer.kind, [height, width], windows, channels);
    }
    case 'global-average-pool':
      return [1, 1, channels];
    case 'flatten':
      return [1, 1, height * width * channels];
    case 'residual': {
      const [branch, shortcut] = [layer.branch, layer.shortcut].map((part) => outputSizeOf(part, input));
      return added(branch as ImageSize, shortcut as ImageSize);
    }
    case 'concatenate':
      return behindEachOther(layer.branches.map((branch) => outputSizeOf(branch, input)));
    default:
      return input;
  }
}

/** The size of a residual's sum. Throws an error where the two sizes differ. */
export function added(branch: ImageSize, shortcut: ImageSize): ImageSize {
  if (branch.join() === shortcut.join()) return branch;
  throw new Error(`a residual adds ${branch.join(' x ')} to ${shortcut.join(' x ')}`);
}

/** The size of what branches of these sizes are together. Throws an error where one has another height or width. */
export function behindEachOther(sizes: readonly ImageSize[]): ImageSize {
  const [first] = sizes;
  if (!first) throw new Error('a concatenation has no branches');
  for (const [height, width] of sizes) {
    if (height === first[0] && width === first[1]) continue;
    throw new Error(`a concatenation puts ${height} x ${width} behind ${first[0]} x ${first[1]}`);
  }
  return [first[0], first[1], sizes.reduce((sum, [, , channels]) => sum + channels, 0)];
}

/** A pooling's windows. */
export function windowsOf({
  kernel = 2,
  stride = kernel,
  padding = 0,
}: Extract<Layer, { kind: 'max-pool' | 'average-pool' }>) {
  return { kernel, stride, padding };
}

/**
 * Numbers that training keeps for one image: what each layer gives and, where convolutions of several models are multiplied as
 * matrices (each-model.ts), their `windows`.
 */
export function numbersPerImage(
  { layers, input }: Pick<Architecture, 'layers' | 'input'>,
  windows: boolean,
): number {
  let size = input;
  let sum = size[0] * size[1] * size[2];
  for (const layer of layers) {
    const next = outputSize(layer, size);
    if (layer.kind === 'residual') {
      sum += numbersPerImage({ layers: layer.branch, input: size }, windows);
      sum += numbersPerImage({ layers: layer.shortcut, input: size }, windows);
    }
    if (layer.kind === 'concatenate') {
      for (const branch of layer.branches) {
        if (branch.length > 0) sum += numbersPerImage({ layers: branch, input: size }, windows);
      }
    }
    if (layer.kind === 'conv2d' && windows) sum += next[0] * next[1] * layer.kernel ** 2 * layer.inputs;
    sum += next[0] * next[1] * next[2];
    size = next;
  }
  return sum;
}

/** As `outputSize`, of layers one after the other. */
export function outputSizeOf(layers: readonly Layer[], input: ImageSize): ImageSize {
  return layers.reduce((size, layer) => outputSize(layer, size), input);
}

/** The size of as many windows as fit. */
function positive(
  name: string,
  sides: readonly [number, number],
  { kernel, stride, padding }: { kernel: number; stride: number; padding: number },
  channels: number,
): ImageSize {
  const [rows, columns] = sides.map((side) => Math.floor((side + 2 * padding - kernel) / stride) + 1);
  const size: ImageSize = [rows as number, columns as number, channels];
  if (size.every((side) => side > 0)) return size;
  throw new Error(`nothing of the image is left after ${name}: it is too small`);
}
