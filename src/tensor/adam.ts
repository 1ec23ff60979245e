import { Averages } from './averages.ts';
import { hasKernel, runKernel } from './kernel.ts';
import type { Hyper, Optimizer, OptimizerState, Parameter, PerModel } from './optimizers.ts';
import { checkRates, gradientOf, perModel } from './rates.ts';
import { tf } from './tf.ts';

export interface AdamOptions {
  /** 0: none. */
  weightDecay?: PerModel;
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
  protected readonly coupled: boolean = false;
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
    const { weightDecay, beta2, epsilon } = this.options;
    const moments = this.parameters.map((parameter) => ({
      param: parameter.variable,
      grad: gradientOf(gradients, parameter),
      m: this.averages.get(parameter, 'm'),
      v: this.averages.get(parameter, 'v'),
    }));
    const next = update(moments, {
      learningRate: [learningRate].flat(),
      weightDecay: [weightDecay].flat(),
      decayed: this.parameters.map(({ decay }) => (decay ? 1 : 0)),
      coupled: this.coupled,
      ...{ beta1, beta2, epsilon },
      correction1: 1 - beta1 ** this.steps,
      correction2: 1 - beta2 ** this.steps,
    });
    for (const [i, parameter] of this.parameters.entries()) {
      const { param, m, v } = next[i] as Record<'param' | 'm' | 'v', tf.Tensor>;
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
  protected override readonly coupled = true;
}

type Moments = Record<'param' | 'grad' | 'm' | 'v', tf.Tensor>;

/** What a step of SaneAdamW (kernel.ts) needs besides tensors. */
export interface Rates {
  /** One, or one for each model. */
  learningRate: readonly number[];
  weightDecay: readonly number[];
  /** Of each parameter, whether it decays: 1 or 0. */
  decayed: readonly number[];
  coupled: boolean;
  beta1: number;
  beta2: number;
  epsilon: number;
  correction1: number;
  correction2: number;
}

/** The parameters and their averages after the step: in one call where the device has a kernel. */
function update(moments: readonly Moments[], rates: Rates): Record<'param' | 'm' | 'v', tf.Tensor>[] {
  if (!hasKernel('SaneAdamW')) return moments.map((one, i) => tf.tidy(() => composed(one, rates, i)));
  checkRates([rates.learningRate, rates.weightDecay], moments);
  const inputs = moments.flatMap(({ param, grad, m, v }) => [param, grad, m, v]);
  const outputs = runKernel('SaneAdamW', inputs, { ...rates });
  return moments.map((_, i) => {
    const [param, m, v] = outputs.slice(3 * i, 3 * i + 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
    return { param, m, v };
  });
}

function composed(
  { param, grad: given, m: oldM, v: oldV }: Moments,
  rates: Rates,
  i: number,
): Record<'param' | 'm' | 'v', tf.Tensor> {
  const { coupled, beta1, beta2, epsilon, correction1, correction2 } = rates;
  const rate = perModel(rates.learningRate, param);
  const decay = rates.decayed[i] ? perModel(rates.weightDecay, param) : 0;
  const grad = coupled ? tf.add(given, tf.mul(param, decay)) : given;
  const m = tf.add(tf.mul(oldM, beta1), tf.mul(grad, 1 - beta1));
  const v = tf.add(tf.mul(oldV, beta2), tf.mul(tf.square(grad), 1 - beta2));
  const root = tf.add(tf.mul(tf.sqrt(v), 1 / Math.sqrt(correction2)), epsilon);
  const move = tf.mul(tf.div(m, root), tf.div(rate, correction1));
  const kept = coupled ? param : tf.sub(param, tf.mul(param, tf.mul(rate, decay)));
  return { param: tf.sub(kept, move), m, v };
}
