import type { tf } from '../tf.ts';
import { allocate, views, type WasmKernel } from './kernel.ts';

/** SaneAdamW: one step of a parameter in one pass; see optimizers/adam.ts for the formula. */
export const adamW: WasmKernel = (inputs, backend, attributes) => {
  const { param, grad, m, v } = inputs as Record<'param' | 'grad' | 'm' | 'v', tf.TensorInfo>;
  const rate = attributes as Record<
    'learningRate' | 'beta1' | 'beta2' | 'epsilon' | 'weightDecay' | 'correction1' | 'correction2',
    number
  >;
  const { learningRate, beta1, beta2, epsilon, weightDecay, correction1, correction2 } = rate;
  const outputs = [
    allocate(backend, param.shape),
    allocate(backend, param.shape),
    allocate(backend, param.shape),
  ] as const;
  const [p, g, m0, v0] = views(backend, param, grad, m, v);
  const [newP, newM, newV] = views(backend, ...outputs);
  const keep = 1 - learningRate * weightDecay;
  const step = learningRate / correction1;
  const root = Math.sqrt(correction2);
  for (let i = 0; i < p.length; i++) {
    const gradient = g[i] as number;
    const first = beta1 * (m0[i] as number) + (1 - beta1) * gradient;
    const second = beta2 * (v0[i] as number) + (1 - beta2) * gradient * gradient;
    newM[i] = first;
    newV[i] = second;
    newP[i] = keep * (p[i] as number) - (step * first) / (Math.sqrt(second) / root + epsilon);
  }
  return [...outputs];
};
