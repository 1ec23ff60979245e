import type { Architecture, PermutationGroup, StateDict } from './architecture.ts';

/** A permutation of each group: new unit i is old unit `order[i]`. Groups left out stay as they are. */
export type Permutations = ReadonlyMap<string, Int32Array>;

/** The shape of a parameter seen around one axis: [before, length, after]. */
function around(shape: readonly number[], axis: number): [number, number, number] {
  const product = (part: readonly number[]) => part.reduce((a, b) => a * b, 1);
  return [product(shape.slice(0, axis)), shape[axis] as number, product(shape.slice(axis + 1))];
}

/** The axis of `length` in the order of the group, which permutes contiguous blocks where the axis is longer. */
function expand(order: Int32Array, group: PermutationGroup, length: number): Int32Array {
  const block = length / group.size;
  if (!Number.isInteger(block))
    throw new RangeError(`an axis of ${length} is not a multiple of ${group.size} (${group.name})`);
  if (block === 1) return order;
  return Int32Array.from(
    { length },
    (_, i) => (order[Math.floor(i / block)] as number) * block + (i % block),
  );
}

/**
 * For each parameter, where each of its numbers comes from when the permutations are applied: `new[i] = old[index[i]]`.
 * Parameters that no permutation touches are left out.
 */
export function permutationIndices(
  architecture: Architecture,
  permutations: Permutations,
): Map<string, Int32Array> {
  const shapes = new Map(architecture.parameters.map(({ name, shape }) => [name, shape]));
  const indices = new Map<string, Int32Array>();
  for (const group of architecture.permutations) {
    const order = permutations.get(group.name);
    if (!order) continue;
    if (order.length !== group.size)
      throw new RangeError(`${group.name} has ${group.size} units, got an order of ${order.length}`);
    for (const { parameter, axis } of group.axes) {
      const shape = shapes.get(parameter);
      if (!shape) throw new Error(`${architecture.name} has no parameter ${parameter}`);
      const [before, length, after] = around(shape, axis);
      const from = expand(order, group, length);
      const previous = indices.get(parameter);
      const next = new Int32Array(before * length * after);
      for (let b = 0, i = 0; b < before; b++) {
        for (let u = 0; u < length; u++) {
          const row = (b * length + (from[u] as number)) * after;
          for (let a = 0; a < after; a++, i++) next[i] = previous ? (previous[row + a] as number) : row + a;
        }
      }
      indices.set(parameter, next);
    }
  }
  return indices;
}

/** The same network with its hidden units reordered: a copy that computes the same function. */
export function permute(
  architecture: Architecture,
  weights: StateDict,
  permutations: Permutations,
): StateDict {
  const indices = permutationIndices(architecture, permutations);
  const result: StateDict = new Map();
  for (const [name, values] of weights) {
    const index = indices.get(name);
    result.set(name, index ? Float32Array.from(index, (i) => values[i] as number) : values.slice());
  }
  return result;
}
