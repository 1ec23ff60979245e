/** Optimisers, by PyTorch's formulas and defaults. Their state stays on the device; `state` and `restore` move it to checkpoints. */
import type { tf } from './tf.ts';

export { Adam, AdamW } from './adam.ts';
export { Sgd } from './sgd.ts';

export interface Parameter {
  name: string;
  variable: tf.Variable;
  /** Whether weight decay applies to it. */
  decay: boolean;
}

/** One number for all; or, where parameters are those of many models [models, ...], one for each model. */
export type PerModel = number | readonly number[];

/** What may change from step to step, as schedules have it. */
export interface Hyper {
  learningRate: PerModel;
  /** Adam: decay of the mean gradient, of this step; its own default if not given. */
  beta1?: number;
}

/** What must be saved to resume later: the number of steps done and, by parameter, running averages. */
export interface OptimizerState {
  steps: number;
  /** By `<parameter>.<average>`, e.g. `encoder.0.weight.m`; each flat, in the parameter's row-major order. */
  averages: Record<string, Float32Array>;
}

export interface Optimizer {
  /** Moves every parameter by its gradient; a gradient is looked up by the parameter's name. Disposes of no gradient. */
  step(gradients: tf.NamedTensorMap, hyper: Hyper): void;
  /** A copy of the state. */
  state(): Promise<OptimizerState>;
  /** Resumes from a state; throws if it is of other parameters. */
  restore(state: OptimizerState): void;
  /** Frees the state's memory, not the parameters'. */
  dispose(): void;
}
