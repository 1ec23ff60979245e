/** Layouts for the C kernels that walk over strided tensors: a shape and strides, with as few axes as describe them. */
import type { tf } from '../tf.ts';
import type { NativeBackend } from './kernel.ts';

/** Strides of a dense tensor, in numbers. */
export function stridesOf(shape: number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis] as number;
  }
  return strides;
}

/** Strides along the axes of `result` of a dense tensor that is broadcast to it: 0 where it is repeated. */
export function broadcastStrides(shape: number[], result: number[]): number[] {
  const strides = stridesOf(shape);
  const missing = result.length - shape.length;
  return result.map((_, axis) =>
    axis < missing || shape[axis - missing] === 1 ? 0 : (strides[axis - missing] as number),
  );
}

/**
 * A shape and the strides of two tensors along it as C reads them, [3, rank]: axes of size 1 left out, neighbours joined
 * where both tensors run through them evenly, and axes of size 1 put in front up to `leastRank`.
 */
export function joinAxes(
  shape: number[],
  left: number[],
  right: number[],
  leastRank: number,
): { layout: Int32Array; rank: number } {
  const axes: [size: number, left: number, right: number][] = [];
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const [l, r] = [left[axis] as number, right[axis] as number];
    const before = axes.at(-1);
    if (before && before[1] === l * size && before[2] === r * size)
      axes[axes.length - 1] = [before[0] * size, l, r];
    else axes.push([size, l, r]);
  }
  while (axes.length < leastRank) axes.unshift([1, 1, 1]);
  const rank = axes.length;
  const layout = new Int32Array(3 * rank);
  for (const [axis, numbers] of axes.entries()) {
    for (const [row, number] of numbers.entries()) layout[row * rank + axis] = number;
  }
  return { layout, rank };
}

/** A tensor as it is walked over: from a number on, with a stride along each axis of the copied shape. */
export interface Walk {
  tensor: tf.TensorInfo;
  first?: number;
  strides: number[];
}

/** Copies numbers of `shape` from one tensor to another of the same type. */
export function copyStrided(backend: NativeBackend, shape: number[], from: Walk, to: Walk): void {
  if (shape.includes(0)) return;
  const { layout, rank } = joinAxes(shape, from.strides, to.strides, 2);
  const bytes = from.tensor.dtype === 'bool' ? 1 : 4;
  const start = ({ tensor, first = 0 }: Walk) =>
    (backend.address(tensor) + first * bytes) as ReturnType<NativeBackend['address']>;
  backend.library.copy_strided(start(from), start(to), layout, rank, bytes);
}
