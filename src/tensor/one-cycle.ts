/** The schedule of a step. */
export interface OneCycle {
  learningRate: number;
  beta1: number;
}

/**
 * The one-cycle policy (Smith and Topin 2019) with PyTorch's OneCycleLR defaults: over the first 30 % of `total` steps the
 * learning rate rises along a cosine from max/25 to max, then falls to max/250,000 at the last step; Adam's beta1 goes
 * from 0.95 to 0.85 and back in the meantime. `step` counts from 0.
 */
export function oneCycle(step: number, total: number, maxLearningRate: number): OneCycle {
  if (!(step >= 0 && step < total)) {
    throw new Error(`The one-cycle schedule has ${total} steps, from 0 on; step ${step} is not one of them.`);
  }
  const initial = maxLearningRate / 25;
  const peak = 0.3 * total - 1;
  const rising = step <= peak;
  const progress = rising ? step / peak : (step - peak) / (total - 1 - peak);
  const between = (from: number, to: number) => to + ((from - to) / 2) * (1 + Math.cos(Math.PI * progress));
  return rising
    ? { learningRate: between(initial, maxLearningRate), beta1: between(0.95, 0.85) }
    : { learningRate: between(maxLearningRate, initial / 1e4), beta1: between(0.85, 0.95) };
}
