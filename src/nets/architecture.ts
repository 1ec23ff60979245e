/** What an architecture is: plain data, without tensors, so that planning and tokenising can read it. */
import type { ZooSettings } from '../experiment/types.ts';

/** The nonlinearity of all layers. */
export type Activation = ZooSettings['activation'];

export type Layer =
  | { kind: 'conv2d'; name: string; inputs: number; outputs: number; kernel: number }
  | { kind: 'max-pool' }
  | { kind: 'activation' }
  | { kind: 'dropout' }
  | { kind: 'flatten' }
  | { kind: 'linear'; name: string; inputs: number; outputs: number };

/** A tensor of the state dict, in PyTorch's registration order, name and shape. */
export interface ParameterSpec {
  name: string;
  shape: number[];
}

/**
 * Units that may be reordered together without changing the function: the same permutation is applied to every axis named.
 * An axis whose length is a multiple of `size` is permuted in contiguous blocks (a flattened channel of a feature map).
 */
export interface PermutationGroup {
  name: string;
  size: number;
  axes: { parameter: string; axis: number }[];
}

export interface Architecture {
  name: string;
  description: string;
  /** Height, width, channels of the images. */
  input: [number, number, number];
  classes: number;
  layers: Layer[];
  parameters: ParameterSpec[];
  permutations: PermutationGroup[];
}

/** Weights of one model by parameter name, each flat in row-major order of its shape. Iterates in registration order. */
export type StateDict = Map<string, Float32Array>;
