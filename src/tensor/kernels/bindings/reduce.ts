/** Sums, means, maxima and softmax along axes. */
import { sizeOf } from '../../../base/shape.ts';
import { tf } from '../../tf.ts';
import type { NativeBackend, NativeKernel, NativeKernels } from '../kernel.ts';
import { transposed } from './movement.ts';

function reduction(kind: 'sum' | 'mean' | 'maximum', axesName: string): NativeKernel {
  return {
    run(inputs, backend, attributes) {
      const x = inputs.x as tf.TensorInfo;
      const keepDims = attributes.keepDims as boolean;
      const axes = tf.util.parseAxisParam(attributes[axesName] as number | number[], x.shape);
      const shape = tf.backend_util.computeOutAndReduceShapes(x.shape, axes)[0];
      const outShape = keepDims ? tf.backend_util.expandShapeToKeepDim(shape, axes) : shape;
      const out = backend.allocate(outShape);
      // Only neighbouring axes are one to C; others are moved to the end first.
      const neighbours = joined(x.shape, axes);
      const [source, [outer, length, inner]] = neighbours
        ? ([x, neighbours] as const)
        : lastAxes(backend, x, axes);
      const scale = kind === 'mean' ? 1 / length : 1;
      const maximum = kind === 'maximum' ? 1 : 0;
      const addresses = [backend.address(source), backend.address(out)] as const;
      if (outer * inner > 0) backend.library.reduce(...addresses, outer, length, inner, scale, maximum);
      if (source !== x) backend.release(source);
      return out;
    },
  };
}

type Sizes = readonly [outer: number, length: number, inner: number];

/** The sizes before, of and after the reduced axes, if those lie side by side (but for axes of size 1). */
function joined(shape: number[], axes: number[]): Sizes | undefined {
  const reduced = new Set(axes);
  const sizes: [number, number, number] = [1, 1, 1];
  let part = 0;
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const isReduced = reduced.has(axis);
    if (isReduced && part === 2) return undefined;
    if (isReduced) part = 1;
    else if (part === 1) part = 2;
    sizes[part] = (sizes[part] as number) * size;
  }
  return sizes;
}

function lastAxes(backend: NativeBackend, x: tf.TensorInfo, axes: number[]): readonly [tf.TensorInfo, Sizes] {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const source = transposed(backend, x, [...kept, ...axes]);
  const outer = sizeOf(kept.map((axis) => x.shape[axis] as number));
  const length = sizeOf(axes.map((axis) => x.shape[axis] as number));
  return [source, [outer, length, 1]];
}

const softmax: NativeKernel = {
  run({ logits }, backend) {
    const x = logits as tf.TensorInfo;
    const y = backend.allocate(x.shape);
    const length = x.shape.at(-1) ?? 1;
    const rows = length > 0 ? sizeOf(x.shape) / length : 0;
    backend.library.softmax(backend.address(x), backend.address(y), rows, length);
    return y;
  },
};

export const reductions: NativeKernels = {
  Max: reduction('maximum', 'reductionIndices'),
  Mean: reduction('mean', 'axis'),
  Softmax: softmax,
  Sum: reduction('sum', 'axis'),
};
