import type { tf } from '../tf.ts';
import { allocate, views, type WasmKernel } from './kernel.ts';

/** SaneAdamW: one step of every parameter, each in one pass; see adam.ts for the formula. */
export const adamW: WasmKernel = (inputs, backend, attributes) => {
  const rates = attributes as Record<'learningRate' | 'weightDecay' | 'decayed', readonly number[]> & {
    coupled: boolean;
  } & Record<'beta1' | 'beta2' | 'epsilon' | 'correction1' | 'correction2', number>;
  const { coupled, beta1, beta2, epsilon, correction1 } = rates;
  const root = Math.sqrt(rates.correction2);
  const outputs: tf.TensorInfo[] = [];
  for (let i = 0; inputs[`param${i}`]; i++) {
    const [param, grad, m, v] = ['param', 'grad', 'm', 'v'].map(
      (name) => inputs[`${name}${i}`] as tf.TensorInfo,
    ) as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
    const next = [0, 1, 2].map(() => allocate(backend, param.shape)) as [
      tf.TensorInfo,
      tf.TensorInfo,
      tf.TensorInfo,
    ];
    outputs.push(...next);
    const [p, g, m0, v0] = views(backend, param, grad, m, v);
    const [newP, newM, newV] = views(backend, ...next);
    const models = Math.max(rates.learningRate.length, rates.weightDecay.length);
    const size = p.length / models;
    for (let model = 0; model < models; model++) {
      const of = (values: readonly number[]) => values[values.length === 1 ? 0 : model] as number;
      const decay = rates.decayed[i] ? of(rates.weightDecay) : 0;
      const keep = coupled ? 1 : 1 - of(rates.learningRate) * decay;
      const penalty = coupled ? decay : 0;
      const step = of(rates.learningRate) / correction1;
      for (let k = model * size; k < (model + 1) * size; k++) {
        const value = p[k] as number;
        const gradient = (g[k] as number) + penalty * value;
        const first = beta1 * (m0[k] as number) + (1 - beta1) * gradient;
        const second = beta2 * (v0[k] as number) + (1 - beta2) * gradient * gradient;
        newM[k] = first;
        newV[k] = second;
        newP[k] = keep * value - (step * first) / (Math.sqrt(second) / root + epsilon);
      }
    }
  }
  return outputs;
};
