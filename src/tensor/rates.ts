/** What the optimisers share: a parameter's gradient, and rates of one or of many models. */
import type { Parameter } from './optimizers.ts';
import { tf } from './tf.ts';

/** The gradient of a parameter; an error if there is none, which is a net that does not use it. */
export function gradientOf(gradients: tf.NamedTensorMap, { name }: Parameter): tf.Tensor {
  const gradient = gradients[name];
  if (!gradient) throw new Error(`The parameter ${name} has no gradient: the loss does not depend on it.`);
  return gradient;
}

/**
 * The values of a rate, to be multiplied with a tensor: one number, or one for each model along its first axis. Throws if
 * the tensor has not so many models.
 */
export function perModel(rates: readonly number[], tensor: tf.Tensor): tf.Tensor | number {
  if (rates.length === 1) return rates[0] as number;
  checkModels(rates, tensor);
  const { shape } = tensor;
  return tf.tensor(Array.from(rates), [rates.length, ...shape.slice(1).fill(1)], 'float32');
}

/** Throws unless each of these rates are one, or one for each model of each tensor [models, ...]. */
export function checkRates(
  given: readonly (readonly number[])[],
  tensors: readonly { param: tf.Tensor }[],
): void {
  for (const { param } of tensors) for (const rates of given) checkModels(rates, param);
}

function checkModels(rates: readonly number[], { shape }: tf.Tensor): void {
  if (rates.length === 1 || shape[0] === rates.length) return;
  throw new Error(`There are ${rates.length} rates for ${shape[0]} models, whose parameter is [${shape}].`);
}
