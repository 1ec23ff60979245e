/** Which networks the kernels SanePopulation* compute, all models of a population at once, and what these kernels take. */
import type { tf } from '../tensor/tf.ts';
import type { Activation, ActivationFunction, Architecture } from './architecture.ts';
import type { NamedTensors } from './forward.ts';
import { windowsOf } from './shapes.ts';

const activationCodes: Partial<Record<ActivationFunction, number>> = {
  tanh: 1,
  relu: 2,
  sigmoid: 3,
  gelu: 4,
};

/** As many layers as the kernel has room for. */
const maxLayers = 32;

/** Filters and biases under the kernel's names; every layer with parameters has both. */
export function kernelWeights(
  architecture: Architecture,
  weights: NamedTensors,
): Record<string, tf.Tensor | undefined> {
  return Object.fromEntries(
    architecture.parameters.map(({ name }, i) => [`${i % 2 ? 'b' : 'w'}${i >> 1}`, weights.get(name)]),
  );
}

/**
 * The layers as the kernel wants them, nine numbers each: height, width and channels of the input, filters, their height and
 * width, and whether pooling, which activation and whether dropout follow, in this order. A dense layer is a convolution with
 * a filter as large as its input. Undefined for a network that is not such a chain.
 */
export function kernelLayers(
  architecture: Architecture,
  activation: Activation,
  dropout: boolean,
): number[] | undefined {
  const layers: number[][] = [];
  let [height, width, channels] = architecture.input;
  // What may still follow the last layer with parameters; what comes out of order breaks the chain.
  let stage = 4;
  for (const layer of architecture.layers) {
    const last = layers.at(-1) as number[];
    switch (layer.kind) {
      case 'conv2d':
      case 'linear': {
        if (layer.bias === false) return undefined;
        if (layer.kind === 'conv2d') {
          const { stride = 1, padding = 0, dilation = 1, groups = 1 } = layer;
          if (stride !== 1 || padding !== 0 || dilation !== 1 || groups !== 1) return undefined;
        }
        const [high, wide] = layer.kind === 'conv2d' ? [layer.kernel, layer.kernel] : [height, width];
        layers.push([height, width, channels, layer.outputs, high, wide, 0, 0, 0]);
        [height, width, channels] = [height - high + 1, width - wide + 1, layer.outputs];
        stage = 0;
        break;
      }
      case 'max-pool': {
        const windows = windowsOf(layer);
        if (stage >= 1 || windows.kernel !== 2 || windows.stride !== 2 || windows.padding !== 0)
          return undefined;
        last[6] = 1;
        [height, width] = [height >> 1, width >> 1];
        stage = 1;
        break;
      }
      case 'activation': {
        const code = activationCodes[layer.function ?? activation];
        if (stage >= 2 || code === undefined) return undefined;
        last[7] = code;
        stage = 2;
        break;
      }
      case 'dropout':
        if (stage >= 3) return undefined;
        last[8] = dropout ? 1 : 0;
        stage = 3;
        break;
      case 'flatten':
        break;
      default:
        return undefined;
    }
  }
  return layers.length <= maxLayers ? layers.flat() : undefined;
}
