/** What an architecture is: plain data, without tensors, so that planning and tokenising can read it. */
import type { ZooSettings } from '../experiment/types.ts';

/** The nonlinearity of all layers. */
export type Activation = ZooSettings['activation'];

/** Height, width, channels of an image or a feature map. */
export type ImageSize = [number, number, number];

export type Layer =
  /** Square windows. Stride 1, padding 0 and a bias by default. */
  | {
      kind: 'conv2d';
      name: string;
      inputs: number;
      outputs: number;
      kernel: number;
      stride?: number;
      padding?: number;
      bias?: boolean;
    }
  | { kind: 'linear'; name: string; inputs: number; outputs: number }
  | { kind: 'batch-norm'; name: string; channels: number }
  /** The maximum or mean of squares of this side, 2 by default, that do not overlap; what is left at the end is dropped. */
  | { kind: 'max-pool' | 'average-pool'; size?: number }
  | { kind: 'global-average-pool' }
  | { kind: 'activation' }
  | { kind: 'dropout' }
  | { kind: 'flatten' }
  /** branch(x) + shortcut(x). An empty shortcut is the identity. */
  | { kind: 'residual'; branch: Layer[]; shortcut: Layer[] }
  /** x and behind it branch(x), along the channels. */
  | { kind: 'concatenate'; branch: Layer[] };

/** A tensor of the state dict, by PyTorch's name and shape. */
export interface ParameterSpec {
  name: string;
  shape: number[];
}

/**
 * Units that may be reordered together without changing the function: the same permutation is applied to every axis named.
 * On an axis, unit i has the `block` positions from `start + i * block` on (1 and 0 if not given): more than one where channels of a feature
 * map were flattened, a start where several groups were concatenated. Parameters and buffers both have such axes.
 */
export interface PermutationGroup {
  name: string;
  size: number;
  axes: PermutedAxis[];
}

export interface PermutedAxis {
  parameter: string;
  axis: number;
  start?: number;
  block?: number;
}

/** An architecture for images of one size: its layers, and what follows from them. */
export interface Architecture {
  name: string;
  description: string;
  input: ImageSize;
  classes: number;
  layers: Layer[];
  /** What training changes, in PyTorch's registration order. */
  parameters: ParameterSpec[];
  /** Running means and variances of batch normalisation, likewise. */
  buffers: ParameterSpec[];
  /** Both, in the order of PyTorch's state dict, whose counters of batches are left out. */
  state: ParameterSpec[];
  /** Every set of hidden units that has an order of its own; neither the image's channels nor the classes have. */
  permutations: PermutationGroup[];
}

export interface ArchitectureOptions {
  input: ImageSize;
  classes: number;
  /** Channels of the first stage; null: as many as in the paper. */
  width: number | null;
}

export interface ArchitectureDefinition {
  name: string;
  description: string;
  /** The kind of networks in the paper's tables that its own are; undefined where they are none of them. */
  family?: 'cnn' | 'resnet';
  /** Channels of the first stage in the paper. Null: it has no width to set. */
  width: number | null;
  /** Throws an error that says what to change where the options do not fit. */
  build(options: ArchitectureOptions): Architecture;
}

/** Weights and buffers of one model by name, each flat in row-major order of its shape. Iterates in the order of `state`. */
export type StateDict = Map<string, Float32Array>;

/** The layers without those that hold others, in PyTorch's registration order. */
export function leaves(
  layers: readonly Layer[],
): Exclude<Layer, { kind: 'residual' } | { kind: 'concatenate' }>[] {
  return layers.flatMap((layer) => {
    if (layer.kind === 'residual') return leaves([...layer.branch, ...layer.shortcut]);
    return layer.kind === 'concatenate' ? leaves(layer.branch) : [layer];
  });
}
