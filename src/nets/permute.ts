import type { Random } from '../base/random.ts';
import { sizeOf } from '../base/shape.ts';
import type { Architecture, PermutedAxis, StateDict } from './architecture.ts';

/** A permutation of each group: new unit i is old unit `order[i]`. Groups left out stay as they are. */
export type Permutations = ReadonlyMap<string, Int32Array>;

/** A fresh random order of every group of hidden units. */
export function randomOrders(
  { permutations }: Pick<Architecture, 'permutations'>,
  random: Random,
): Permutations {
  return new Map(permutations.map(({ name, size }) => [name, random.permutation(size)]));
}

/** The permutations that do as `first` and then `second`. */
export function composeOrders(first: Permutations, second: Permutations): Permutations {
  const composed = new Map(first);
  for (const [name, order] of second) {
    const before = first.get(name);
    composed.set(name, before ? order.map((unit) => before[unit] as number) : order);
  }
  return composed;
}

/** Writes to the `positions` of an axis where those of a group's units come from in this order. */
export function reorder(
  positions: Int32Array,
  { start = 0, block = 1 }: PermutedAxis,
  order: Int32Array,
): void {
  for (let unit = 0; unit < order.length; unit++) {
    const [to, from] = [start + unit * block, start + (order[unit] as number) * block];
    for (let i = 0; i < block; i++) positions[to + i] = from + i;
  }
}

/** For each parameter and buffer that a permutation touches: of each of its axes so touched, where the positions come from. */
export function axisOrders(
  { name: architecture, state, permutations: groups }: Pick<Architecture, 'name' | 'state' | 'permutations'>,
  permutations: Permutations,
): Map<string, Map<number, Int32Array>> {
  const shapes = new Map(state.map(({ name, shape }) => [name, shape]));
  const orders = new Map<string, Map<number, Int32Array>>();
  for (const { name, size, axes } of groups) {
    const order = permutations.get(name);
    if (!order) continue;
    if (order.length !== size)
      throw new RangeError(`${name} has ${size} units, got an order of ${order.length}`);
    for (const place of axes) {
      const { parameter, axis } = place;
      const shape = shapes.get(parameter);
      if (!shape) throw new Error(`${architecture} has no parameter ${parameter}`);
      const ofParameter = orders.get(parameter) ?? new Map<number, Int32Array>();
      const positions =
        ofParameter.get(axis) ?? Int32Array.from({ length: shape[axis] as number }, (_, i) => i);
      reorder(positions, place, order);
      orders.set(parameter, ofParameter.set(axis, positions));
    }
  }
  return orders;
}

/** The numbers with the positions of one axis in this order. */
function alongAxis(values: Float32Array, shape: readonly number[], axis: number, order: Int32Array) {
  const after = sizeOf(shape.slice(axis + 1));
  const row = order.length * after;
  const moved = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += row) {
    for (let u = 0, to = start; u < order.length; u++) {
      const from = start + (order[u] as number) * after;
      for (let i = from; i < from + after; i++) moved[to++] = values[i] as number;
    }
  }
  return moved;
}

/** The same network with its hidden units reordered: a copy that computes the same function. */
export function permute(
  architecture: Pick<Architecture, 'name' | 'state' | 'permutations'>,
  weights: StateDict,
  permutations: Permutations,
): StateDict {
  const shapes = new Map(architecture.state.map(({ name, shape }) => [name, shape]));
  const orders = axisOrders(architecture, permutations);
  const result: StateDict = new Map();
  for (const [name, values] of weights) {
    let moved = values;
    for (const [axis, order] of orders.get(name) ?? []) {
      moved = alongAxis(moved, shapes.get(name) as number[], axis, order);
    }
    result.set(name, moved === values ? values.slice() : moved);
  }
  return result;
}
