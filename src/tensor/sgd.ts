import { gradientOf, perModel } from './adam.ts';
import { Averages } from './averages.ts';
import type { Hyper, Optimizer, OptimizerState, Parameter, PerModel } from './optimizers.ts';
import { tf } from './tf.ts';

export interface SgdOptions {
  momentum?: number;
  weightDecay?: PerModel;
}

/**
 * Stochastic gradient descent with momentum as PyTorch computes it: g + decay p is the gradient; the velocity is that
 * gradient at the first step, then momentum times itself plus it; the parameter moves by lr times the velocity.
 */
export class Sgd implements Optimizer {
  private readonly parameters: readonly Parameter[];
  private readonly momentum: number;
  private readonly weightDecay: readonly number[];
  private readonly averages: Averages;
  private steps = 0;

  constructor(parameters: readonly Parameter[], { momentum = 0, weightDecay = 0 }: SgdOptions = {}) {
    this.parameters = parameters;
    this.momentum = momentum;
    this.weightDecay = [weightDecay].flat();
    this.averages = new Averages(parameters, momentum > 0 ? ['velocity'] : []);
  }

  /** `beta1`, where a schedule gives it, takes the place of the momentum. */
  step(gradients: tf.NamedTensorMap, { learningRate, beta1 = this.momentum }: Hyper): void {
    this.steps++;
    for (const parameter of this.parameters) {
      const { variable, decay } = parameter;
      const gradient = gradientOf(gradients, parameter);
      const velocity = tf.tidy(() => {
        const decayed =
          decay && this.weightDecay.some((value) => value > 0)
            ? tf.add(gradient, tf.mul(variable, perModel(this.weightDecay, variable)))
            : gradient;
        // The velocity starts at zero, so the first step's is the gradient itself.
        if (this.momentum === 0) return tf.clone(decayed);
        return tf.add(tf.mul(this.averages.get(parameter, 'velocity'), beta1), decayed);
      });
      const moved = tf.tidy(() =>
        tf.sub(variable, tf.mul(velocity, perModel([learningRate].flat(), variable))),
      );
      variable.assign(moved);
      moved.dispose();
      if (this.momentum > 0) this.averages.replace(parameter, 'velocity', velocity);
      else velocity.dispose();
    }
  }

  async state(): Promise<OptimizerState> {
    return { steps: this.steps, averages: await this.averages.read() };
  }

  restore({ steps, averages }: OptimizerState): void {
    this.averages.restore(averages);
    this.steps = steps;
  }

  dispose(): void {
    this.averages.dispose();
  }
}
