import { Averages } from './averages.ts';
import { hasKernel, runKernel } from './kernel.ts';
import type { Hyper, Optimizer, OptimizerState, Parameter, PerModel } from './optimizers.ts';
import { checkRates, gradientOf, perModel } from './rates.ts';
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
  step(gradients: tf.NamedTensorMap, { learningRate, beta1: momentum = this.momentum }: Hyper): void {
    this.steps++;
    const rates = { learningRate: [learningRate].flat(), weightDecay: this.weightDecay, momentum };
    const inputs = this.parameters.map((parameter) => ({
      param: parameter.variable,
      grad: gradientOf(gradients, parameter),
      velocity: this.momentum > 0 ? this.averages.get(parameter, 'velocity') : undefined,
      decays: parameter.decay,
    }));
    for (const [i, { param, velocity }] of update(inputs, rates).entries()) {
      const parameter = this.parameters[i] as Parameter;
      parameter.variable.assign(param);
      param.dispose();
      if (velocity) this.averages.replace(parameter, 'velocity', velocity);
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

type Moving = {
  param: tf.Tensor;
  grad: tf.Tensor;
  /** Only with momentum. */
  velocity: tf.Tensor | undefined;
  decays: boolean;
};

interface Rates {
  /** One, or one for each model. */
  learningRate: readonly number[];
  weightDecay: readonly number[];
  momentum: number;
}

type Moved = Pick<Moving, 'param' | 'velocity'>;

/** The parameters and their velocities after the step: in one call where the device has a kernel. */
function update(all: readonly Moving[], rates: Rates): Moved[] {
  if (!hasKernel('SaneSgd') || !all[0]?.velocity)
    return all.map((one) => tf.tidy(() => composed(one, rates)));
  checkRates([rates.learningRate, rates.weightDecay], all);
  const inputs = all.flatMap(({ param, grad, velocity }) => [param, grad, velocity as tf.Tensor]);
  const outputs = runKernel('SaneSgd', inputs, {
    ...rates,
    decayed: all.map(({ decays }) => (decays ? 1 : 0)),
  });
  return all.map((_, i) => {
    const [param, velocity] = outputs.slice(2 * i, 2 * i + 2) as [tf.Tensor, tf.Tensor];
    return { param, velocity };
  });
}

function composed(
  { param, grad, velocity, decays }: Moving,
  { learningRate, weightDecay, momentum }: Rates,
): Moved {
  const decayed =
    decays && weightDecay.some((decay) => decay > 0)
      ? tf.add(grad, tf.mul(param, perModel(weightDecay, param)))
      : grad;
  const next = velocity ? tf.add(tf.mul(velocity, momentum), decayed) : decayed;
  const moved = tf.sub(param, tf.mul(next, perModel(learningRate, param)));
  return velocity ? { param: moved, velocity: next } : { param: moved, velocity };
}
