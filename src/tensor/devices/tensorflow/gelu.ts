import { execute, scope } from './execute.ts';
import { type Handle, scalar } from './handles.ts';
import { add, mul, sub } from './operations.ts';

/** Phi(x), the distribution function of the standard normal: erfc(-x / sqrt 2) / 2. GELU is x Phi(x). */
export const cumulative = (x: Handle): Handle =>
  scope(() => mul(execute('Erfc', [mul(x, scalar(-Math.SQRT1_2))]), scalar(0.5)));

const logRoot = Math.log(2 * Math.PI) / 2;

/** The gradient of x, of GELU's `dy`: dy (Phi(x) + x phi(x)), phi(x) being exp(-x^2 / 2 - ln(2 pi) / 2). */
export const geluGradient = (dy: Handle, x: Handle, phi: Handle): Handle =>
  scope(() => {
    const halfSquare = execute('Square', [mul(x, scalar(Math.SQRT1_2))]);
    const density = execute('Exp', [sub(scalar(-logRoot), halfSquare)]);
    return mul(dy, add(phi, mul(x, density)));
  });
