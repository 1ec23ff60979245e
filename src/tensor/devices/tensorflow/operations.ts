/** Operations of TensorFlow by their usual names. */
import { execute } from './execute.ts';
import { type Handle, integers } from './handles.ts';

const binary = (name: string) => (a: Handle, b: Handle) => execute(name, [a, b]);
export const add = binary('AddV2');
export const sub = binary('Sub');
export const mul = binary('Mul');

export const transpose = (x: Handle, axes: readonly number[]) => execute('Transpose', [x, integers(axes)]);
export const reshape = (x: Handle, shape: readonly number[]) => execute('Reshape', [x, integers(shape)]);

/** Of matrices, or of the last two axes of equal numbers of them. */
export function matMul(a: Handle, b: Handle, transposeA = false, transposeB = false): Handle {
  if (a.shape.length === 2)
    return execute('MatMul', [a, b], { transpose_a: transposeA, transpose_b: transposeB });
  return execute('BatchMatMulV2', [a, b], { adj_x: transposeA, adj_y: transposeB });
}
