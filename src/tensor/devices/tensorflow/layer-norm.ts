import { execute, scope } from './execute.ts';
import { type Handle, integers, scalar } from './handles.ts';
import { add, mul, sub } from './operations.ts';

interface Inputs {
  x: Handle;
  gain: Handle;
  bias?: Handle;
  dy: Handle;
  mean: Handle;
  rstd: Handle;
}

/** The mean over the last axis, which stays with length 1. */
const mean = (x: Handle) => execute('Mean', [x, integers([x.shape.length - 1])], { keep_dims: true });

/** The sum over all axes but the last. */
const sum = (x: Handle) =>
  execute('Sum', [x, integers(x.shape.slice(1).map((_, axis) => axis))], { keep_dims: false });

/** x less its mean over the last axis, divided by its standard deviation; that mean, and the reciprocal of the deviation. */
export const normalize = (x: Handle, epsilon: number): [unit: Handle, mean: Handle, rstd: Handle] =>
  scope(() => {
    const middle = mean(x);
    const variance = mean(execute('SquaredDifference', [x, middle]));
    const rstd = execute('Rsqrt', [add(variance, scalar(epsilon))]);
    return [mul(sub(x, middle), rstd), middle, rstd];
  });

/** The gradients of x and of the gain, where `dy` is that of unit times gain. */
export const normGradients = (dy: Handle, unit: Handle, rstd: Handle, gain: Handle): [Handle, Handle] =>
  scope(() => {
    const dunit = mul(dy, gain);
    // The mean and the variance depend on every number of the row: their share is taken off again.
    const shared = add(mean(dunit), mul(unit, mean(mul(dunit, unit))));
    return [mul(sub(dunit, shared), rstd), sum(mul(dy, unit))];
  });

/** SaneLayerNorm and SaneLayerNormGrad (kernel.ts); mean and rstd have a last axis of length 1. */
export const layerNorms = {
  SaneLayerNorm({ x, gain, bias }: Inputs, { epsilon }: { epsilon: number }): Handle[] {
    const [unit, middle, rstd] = normalize(x, epsilon);
    const y = mul(unit, gain);
    return [bias ? add(y, bias) : y, middle, rstd];
  },

  SaneLayerNormGrad({ dy, x, gain, mean: middle, rstd }: Inputs, { bias }: { bias: boolean }): Handle[] {
    const unit = mul(sub(x, middle), rstd);
    return [...normGradients(dy, unit, rstd, gain), ...(bias ? [sum(dy)] : [])];
  },
};
