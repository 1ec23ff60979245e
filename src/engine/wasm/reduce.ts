import { tf } from '../tf.ts';
import { allocate, views, type WasmKernel } from './kernel.ts';

/** Sums of the columns of x [rows, columns], accumulated in double precision. */
export function columnSums(x: Float32Array, rows: number, columns: number): Float64Array {
  const sums = new Float64Array(columns);
  const blocked = rows - (rows % 4);
  for (let i = 0; i < blocked; i += 4) {
    const first = i * columns;
    for (let j = 0; j < columns; j++) {
      const a = first + j;
      const b = a + columns;
      const c = b + columns;
      const sum = (x[a] as number) + (x[b] as number) + (x[c] as number) + (x[c + columns] as number);
      sums[j] = (sums[j] as number) + sum;
    }
  }
  for (let i = blocked; i < rows; i++) {
    for (let j = 0; j < columns; j++) sums[j] = (sums[j] as number) + (x[i * columns + j] as number);
  }
  return sums;
}

/** tfjs's Sum, where it sums float32 over leading axes, as the gradient of a bias does; tfjs transposes for it. */
export function sumWith(original: WasmKernel): WasmKernel {
  return (inputs, backend, attributes) => {
    const x = inputs.x as tf.TensorInfo;
    const rank = x.shape.length;
    const axes = tf.util.parseAxisParam(attributes.axis as number | number[], x.shape).sort((a, b) => a - b);
    const leading = axes.length > 0 && axes.length < rank && axes.every((axis, i) => axis === i);
    if (x.dtype !== 'float32' || !leading) return original(inputs, backend, attributes);

    const kept = x.shape.slice(axes.length);
    const out = allocate(backend, attributes.keepDims ? [...axes.map(() => 1), ...kept] : kept);
    const [from, to] = views(backend, x, out);
    to.set(columnSums(from, tf.util.sizeFromShape(x.shape.slice(0, axes.length)), to.length));
    return out;
  };
}
