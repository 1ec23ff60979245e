/** What a row of the bench is: the same work on both sides, and the ratio that is wanted. */

import type { Json } from '../src/base/json.ts';
import type { NamedTensor } from '../src/base/safetensors.ts';

/** A way in which the other side may do the work. */
export interface Variant {
  /** Told to the script, and shown in the table. */
  name: string;
  /** Shown, but not what we are compared with. It may fail, where it needs what the machine lacks. */
  informative?: boolean;
  /** How near its values are to ours, where not as near as float32 is: relative to the largest. */
  tolerance?: number;
}

/** Our side, ready to be timed. */
export interface Work {
  /** Weights and inputs, for the other side. */
  tensors: NamedTensor[];
  step(): void | Promise<void>;
  /** Waits until the device has done every step so far. Timed, once a turn; for devices that compute while we go on. */
  finish?(): void | Promise<void>;
  /** Numbers that the other side must have too after as many steps, for instance the loss. Not timed. */
  values(): readonly number[] | Promise<readonly number[]>;
}

export interface Row {
  /** What `--only` selects by, and the name of its JSON file. */
  name: string;
  description: string;
  device: 'native' | 'wasm' | 'gpu' | 'auto';
  /** Least ratio wanted, of the other side's time to ours. */
  wanted: number;
  /** Floating-point operations of a step, of its matrix products and convolutions. */
  operations: number;
  /** Images that a step trains on, where speed is told in those. */
  images?: number;
  /** Steps that are timed together, so that a turn lasts a good part of a second at least on one side. */
  stepsPerTurn: number;
  other: {
    /** A file of pytorch/. */
    script: string;
    /** What the script has to know besides the tensors. */
    config: { [key: string]: Json };
    variants: readonly [Variant, ...Variant[]];
  };
  /** Prepares our side on the device, which has been started. `steps` is how many there will be at most. */
  setup(steps: number): Work | Promise<Work>;
}

/** What both sides are told for a turn. The other side is told which variant. */
export interface TurnRequest {
  steps: number;
  variant?: string;
}

/** What they answer: time of a step, and the values after the last one. */
export interface Turn {
  ms: number;
  values: number[];
}

/** The bench cannot go on; the message says why and what to do. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}
