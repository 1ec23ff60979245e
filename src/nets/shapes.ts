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
      const { kernel, outputs, stride = 1, padding = 0 } = layer;
      const windows = (side: number) => Math.floor((side + 2 * padding - kernel) / stride) + 1;
      return positive(layer.name, [windows(height), windows(width), outputs]);
    }
    case 'linear':
      needs(layer.inputs, height * width * channels);
      return [1, 1, layer.outputs];
    case 'batch-norm':
      needs(layer.channels, channels);
      return input;
    case 'max-pool':
    case 'average-pool': {
      const { size = 2 } = layer;
      return positive(layer.kind, [Math.floor(height / size), Math.floor(width / size), channels]);
    }
    case 'global-average-pool':
      return [1, 1, channels];
    case 'flatten':
      return [1, 1, height * width * channels];
    case 'residual': {
      const [branch, shortcut] = [layer.branch, layer.shortcut].map((part) => outputSizeOf(part, input));
      if (branch?.join() !== shortcut?.join()) {
        throw new Error(`a residual adds ${branch?.join(' x ')} to ${shortcut?.join(' x ')}`);
      }
      return branch as ImageSize;
    }
    case 'concatenate': {
      const [high, wide, added] = outputSizeOf(layer.branch, input);
      if (high !== height || wide !== width) {
        throw new Error(`a concatenation puts ${high} x ${wide} behind ${height} x ${width}`);
      }
      return [height, width, channels + added];
    }
    default:
      return input;
  }
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
    if (layer.kind === 'concatenate') sum += numbersPerImage({ layers: layer.branch, input: size }, windows);
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

function positive(name: string, size: ImageSize): ImageSize {
  if (size.every((side) => side > 0)) return size;
  throw new Error(`nothing of the image is left after ${name}: it is too small`);
}
