/** What an architecture is: plain data, without tensors, so that planning and tokenising can read it. */
import type { ZooSettings } from '../experiment/types.ts';
import type { WrittenArchitecture } from './written.ts';

/** The nonlinearity of all layers that name none themselves. */
export type Activation = ZooSettings['activation'];

/** What an activation may compute, by the names of PyTorch's functions; `leaky-relu` with a slope. */
export type ActivationFunction = Activation | 'relu6' | 'leaky-relu' | 'elu' | 'silu' | 'hardswish';

/** Height, width, channels of an image or a feature map. */
export type ImageSize = [number, number, number];

export type Layer =
  /**
   * Square windows. Stride 1, padding 0, dilation 1, one group and a bias by default. With groups, the channels are divided into as
   * many equal parts, each of which sees its own only.
   */
  | {
      kind: 'conv2d';
      name: string;
      inputs: number;
      outputs: number;
      kernel: number;
      stride?: number;
      padding?: number;
      dilation?: number;
      groups?: number;
      bias?: boolean;
    }
  | { kind: 'linear'; name: string; inputs: number; outputs: number; bias?: boolean }
  /** Over all images and pixels, for each channel (and model) by itself. */
  | { kind: 'batch-norm'; name: string; channels: number; epsilon?: number }
  /** Over the channels, for each image and pixel by itself. */
  | { kind: 'layer-norm'; name: string; channels: number; epsilon?: number }
  /**
   * The maximum or mean of square windows, of side 2 by default, which by default do not overlap; what is left at the end is dropped.
   * Outside of the image a maximum sees nothing, a mean zeros.
   */
  | { kind: 'max-pool' | 'average-pool'; kernel?: number; stride?: number; padding?: number }
  | { kind: 'global-average-pool' }
  /** A function of its own, or else the zoo's. `slope` is leaky-relu's below zero, 0.01 by default. */
  | { kind: 'activation'; function?: ActivationFunction; slope?: number }
  | { kind: 'dropout' }
  | { kind: 'flatten' }
  /** branch(x) + shortcut(x). An empty shortcut is the identity. */
  | { kind: 'residual'; branch: Layer[]; shortcut: Layer[] }
  /** What the branches make of x, one after the other along the channels. An empty branch is x itself. */
  | { kind: 'concatenate'; branches: Layer[][] };

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

/** What is known of a network by its state dict alone. */
export interface Outline {
  name: string;
  description: string;
  /** What training changes, in PyTorch's registration order. */
  parameters: ParameterSpec[];
  /** Running means and variances of batch normalisation, likewise. */
  buffers: ParameterSpec[];
  /** Both, in the order of PyTorch's state dict, whose counters of batches are left out. */
  state: ParameterSpec[];
  /** Every set of hidden units that has an order of its own; neither the image's channels nor the classes have. None where the layers are not known. */
  permutations: PermutationGroup[];
}

/** An architecture for images of one size: its layers, and what follows from them. */
export interface Architecture extends Outline {
  input: ImageSize;
  classes: number;
  layers: Layer[];
}

export interface ArchitectureOptions {
  input: ImageSize;
  classes: number;
  /** Channels of the first stage; null: as many as in the paper. */
  width: number | null;
  /** Its layers, where the registry does not know it. */
  written?: WrittenArchitecture;
  /** The names and shapes of its state, where no layers are known at all. */
  tensors?: ParameterSpec[];
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

/** A layer that holds no others. */
export type Leaf = Exclude<Layer, { kind: 'residual' } | { kind: 'concatenate' }>;

/** The layers without those that hold others, in PyTorch's registration order. */
export function leaves(layers: readonly Layer[]): Leaf[] {
  return layers.flatMap((layer) => {
    if (layer.kind === 'residual') return leaves([...layer.branch, ...layer.shortcut]);
    return layer.kind === 'concatenate' ? layer.branches.flatMap(leaves) : [layer];
  });
}

/** Names of a normalisation's tensors, each with a number for every channel. */
export const normParts = {
  'batch-norm': ['weight', 'bias', 'running_mean', 'running_var'],
  'layer-norm': ['weight', 'bias'],
} as const;
