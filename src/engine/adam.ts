import { Averages } from './averages.ts';
import { hasKernel, runKernel } from './kernel.ts';
import type { Hyper, Optimizer, OptimizerState, Parameter } from './optimizers.ts';
import { tf } from './tf.ts';

export interface AdamOptions {
  /** 0: none. */
  weightDecay?: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
}

/**
 * AdamW (Loshchilov and Hutter 2019) as PyTorch computes it. With gradient g, at step t:
 *
 *     m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
 *     p = (1 - lr decay) p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * Where a schedule changes beta1, the correction takes this step's beta1 to the power t, as PyTorch does.
 */
export class AdamW implements Optimizer {
  protected readonly decoupled: boolean = true;
  private readonly parameters: readonly Parameter[];
  private readonly options: Required<AdamOptions>;
  private readonly averages: Averages;
  private steps = 0;

  constructor(parameters: readonly Parameter[], options: AdamOptions = {}) {
    this.parameters = parameters;
    this.options = { weightDecay: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...options };
    this.averages = new Averages(parameters, ['m', 'v']);
  }

  step(gradients: tf.NamedTensorMap, { learningRate, beta1 = this.options.beta1 }: Hyper): void {
    this.steps++;
    const { beta2, epsilon } = this.options;
    const rates = {
      ...{ learningRate, beta1, beta2, epsilon },
      correction1: 1 - beta1 ** this.steps,
      correction2: 1 - beta2 ** this.steps,
    };
    for (const parameter of this.parameters) {
      const gradient = gradientOf(gradients, parameter);
      const decay = parameter.decay ? this.options.weightDecay : 0;
      const [param, m, v] = tf.tidy(() => {
        const { variable } = parameter;
        const coupled = !this.decoupled && decay > 0;
        const grad = coupled ? tf.add(gradient, tf.mul(variable, decay)) : gradient;
        const inputs = {
          param: variable,
          grad,
          m: this.averages.get(parameter, 'm'),
          v: this.averages.get(parameter, 'v'),
        };
        return update(inputs, { ...rates, weightDecay: coupled ? 0 : decay });
      });
      parameter.variable.assign(param);
      param.dispose();
      this.averages.replace(parameter, 'm', m);
      this.averages.replace(parameter, 'v', v);
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

/** Adam (Kingma and Ba 2015), whose weight decay is part of the gradient: g + decay p in the place of g. */
export class Adam extends AdamW {
  protected override readonly decoupled = false;
}

/** The gradient of a parameter; an error if there is none, which is a net that does not use it. */
export function gradientOf(gradients: tf.NamedTensorMap, { name }: Parameter): tf.Tensor {
  const gradient = gradients[name];
  if (!gradient) throw new Error(`The parameter ${name} has no gradient: the loss does not depend on it.`);
  return gradient;
}

interface Rates extends Record<string, number> {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  correction1: number;
  correction2: number;
}

type Moments = [param: tf.Tensor, m: tf.Tensor, v: tf.Tensor];

/** The parameter and its averages after the step. */
function update(inputs: Record<'param' | 'grad' | 'm' | 'v', tf.Tensor>, rates: Rates): Moments {
  if (hasKernel('SaneAdamW')) return runKernel('SaneAdamW', inputs, rates) as Moments;
  const { param, grad } = inputs;
  const { learningRate, beta1, beta2, epsilon, weightDecay, correction1, correction2 } = rates;
  const m = tf.add(tf.mul(inputs.m, beta1), tf.mul(grad, 1 - beta1));
  const v = tf.add(tf.mul(inputs.v, beta2), tf.mul(tf.square(grad), 1 - beta2));
  const root = tf.add(tf.mul(tf.sqrt(v), 1 / Math.sqrt(correction2)), epsilon);
  const move = tf.mul(tf.div(m, root), learningRate / correction1);
  return [tf.sub(tf.mul(param, 1 - learningRate * weightDecay), move), m, v];
}
