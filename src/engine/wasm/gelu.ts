import type { tf } from '../tf.ts';
import { allocate, views, type WasmKernel } from './kernel.ts';

/**
 * The standard normal's distribution function Phi and density phi at nodes 1/64 apart in [-6, 6]; between them, their
 * Taylor series around the nearest node. The error is below 1e-9; beyond, Phi is 0 or 1 within 1e-9.
 */
const perUnit = 64;
const limit = 6;
const density = Float64Array.from({ length: 2 * limit * perUnit + 1 }, (_, i) => phi(i / perUnit - limit));
const cumulative = integrate();

function phi(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/** Phi at the nodes, from Phi(0) = 1/2 outwards by Simpson's rule. */
function integrate(): Float64Array {
  const values = new Float64Array(density.length);
  const middle = limit * perUnit;
  values[middle] = 0.5;
  for (let i = 1; i <= middle; i++) {
    const [from, to] = [(i - 1) / perUnit, i / perUnit];
    const area = (phi(from) + 4 * phi((from + to) / 2) + phi(to)) / (6 * perUnit);
    values[middle + i] = (values[middle + i - 1] as number) + area;
    values[middle - i] = 1 - (values[middle + i] as number);
  }
  return values;
}

/** x Phi(x). */
export const gelu: WasmKernel = (inputs, backend) => {
  const x = inputs.x as tf.TensorInfo;
  const out = allocate(backend, x.shape);
  const [from, to] = views(backend, x, out);
  for (let i = 0; i < from.length; i++) {
    const value = from[i] as number;
    if (value > -limit && value < limit) {
      const node = ((value + limit) * perUnit + 0.5) | 0;
      const a = node / perUnit - limit;
      const e = value - a;
      const series = e * (1 - (e / 2) * (a - (e / 3) * (a * a - 1)));
      to[i] = value * ((cumulative[node] as number) + (density[node] as number) * series);
    } else {
      to[i] = Math.max(value, 0);
    }
  }
  return out;
};

/** dy (Phi(x) + x phi(x)). */
export const geluGrad: WasmKernel = (inputs, backend) => {
  const { dy, x } = inputs as { dy: tf.TensorInfo; x: tf.TensorInfo };
  const out = allocate(backend, x.shape);
  const [gradient, from, to] = views(backend, dy, x, out);
  for (let i = 0; i < from.length; i++) {
    const value = from[i] as number;
    let slope: number;
    if (value > -limit && value < limit) {
      const node = ((value + limit) * perUnit + 0.5) | 0;
      const a = node / perUnit - limit;
      const e = value - a;
      const q = a * a - 1;
      const series = e * (1 - (e / 2) * (a - (e / 3) * q));
      const local = 1 - e * (a - (e / 2) * (q - (e / 3) * a * (q - 2)));
      slope = (cumulative[node] as number) + (density[node] as number) * (series + value * local);
    } else {
      slope = value < 0 ? 0 : value > 0 ? 1 : value;
    }
    to[i] = (gradient[i] as number) * slope;
  }
  return out;
};
