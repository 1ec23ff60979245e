/**
 * Weight matching (git re-basin; Ainsworth et al. 2023, section 3.2): the order of a model's hidden units that moves its weights
 * nearest to a reference's. Groups of units are matched one at a time, the others held still, until none gains.
 *
 * Everything that training changes enters with its own scale: weights, biases, gains of batch norm. Running statistics do not,
 * because their scale is that of activations, and large variances would decide alone; they are permuted along.
 */

import type { Random } from '../base/random.ts';
import { sizeOf } from '../base/shape.ts';
import type { Outline, PermutedAxis, StateDict } from '../nets/architecture.ts';
import { type Permutations, permute, reorder } from '../nets/permute.ts';
import { tf } from '../tensor/tf.ts';
import { assign } from './assignment.ts';

/** What one axis of one parameter says about the order of a group's units, given the order of the parameter's other axis. */
interface Term {
  group: number;
  parameter: string;
  /** The parameter's shape, all axes behind the second as one. */
  shape: [number, number, number];
  axis: 0 | 1;
  /** Units, and where they are on the axis. */
  size: number;
  start: number;
  block: number;
  /** Positions of the other axis, and the groups on it. */
  length: number;
  others: { group: number; place: PermutedAxis }[];
}

export interface Matching {
  /** New unit i is the model's unit `order[i]`, for every group. */
  permutations: Permutations;
  /** |reference - model|, over all parameters, of the model as it is and as it is permuted. */
  distanceBefore: number;
  distance: number;
  /** Sweeps over all groups of all attempts, of each of which the last found nothing to gain. */
  sweeps: number;
}

/** Sweeps after which a matching ends at the latest. */
const maxSweeps = 100;

/** Gains below this share of the largest possible objective are rounding. */
const leastGain = 1e-12;

/** What a model's matching knows at one moment. */
interface State {
  weights: StateDict;
  /** The model's weights as `unfold` has them, one for each term. */
  unfolded: tf.Tensor2D[];
  orders: Int32Array[];
  /** Inner products [size, size] of reference and model units, one for each term; undefined where another group's order changed. */
  products: (Float32Array | undefined)[];
}

/** Matches models to one reference. Holds tensors: dispose it. */
export class WeightMatching {
  private readonly terms: Term[];
  private readonly termsOf: number[][];
  private readonly reference: tf.Tensor2D[];
  private readonly squares: number;

  constructor(
    private readonly architecture: Outline,
    private readonly target: StateDict,
  ) {
    this.terms = termsOf(architecture);
    this.termsOf = architecture.permutations.map((_, g) =>
      this.terms.flatMap(({ group }, t) => (group === g ? [t] : [])),
    );
    this.reference = this.terms.map((term) => unfold(term, target));
    this.squares = inner(architecture, target, target);
  }

  dispose(): void {
    tf.dispose(this.reference);
  }

  /**
   * The order of the units of `weights` nearest to the reference that was found, in so many `attempts`, each of which visits the groups in
   * random orders of its own; but for the first, which begins with the groups about which the most is known. Never farther from the reference
   * than as they are, and never farther by more attempts.
   */
  async match(weights: StateDict, random: Random, attempts = 1): Promise<Matching> {
    const { architecture, target, terms } = this;
    const unfolded = terms.map((term) => unfold(term, weights));
    const begin = (): State => ({
      ...{ weights, unfolded, products: terms.map(() => undefined) },
      orders: architecture.permutations.map(({ size }) => identity(size)),
    });
    const named = ({ orders }: State): Permutations =>
      new Map(architecture.permutations.map(({ name }, g) => [name, orders[g] as Int32Array]));
    const objective = (state: State) =>
      inner(architecture, target, permute(architecture, weights, named(state)));

    const before = inner(architecture, target, weights);
    const squares = inner(architecture, weights, weights);
    const tolerance = leastGain * Math.sqrt(this.squares * squares);
    let [best, after, sweeps] = [begin(), Number.NEGATIVE_INFINITY, 0];
    const attempt = async (state: State) => {
      sweeps += await this.descend(state, random, tolerance);
      const reached = objective(state);
      if (reached > after) [best, after] = [state, reached];
    };
    for (let i = 0; i < attempts; i++) {
      const state = begin();
      await this.grow(state, random, i === 0);
      await attempt(state);
      if (after < before) await attempt(begin());
    }
    tf.dispose(unfolded);
    const distance = (product: number) => Math.sqrt(Math.max(0, this.squares + squares - 2 * product));
    return {
      permutations: named(best),
      distanceBefore: distance(before),
      distance: distance(after),
      sweeps,
    };
  }

  /**
   * The order to begin with: group after group is matched by those parameters alone whose other axis is fixed or matched already, first
   * the group about which the most is known, or in a random order. From the order as it is, deep networks soon end in a poor optimum.
   */
  private async grow(state: State, random: Random, knownFirst: boolean): Promise<void> {
    const placed = new Set<number>();
    const usable = (t: number) => (this.terms[t] as Term).others.every(({ group }) => placed.has(group));
    const known = (g: number) =>
      (this.termsOf[g] as number[]).reduce(
        (sum, t) => sum + (usable(t) ? rows(this.terms[t] as Term) : 0),
        0,
      );
    let left = [...random.permutation(this.architecture.permutations.length)];
    while (left.length > 0) {
      const next = left.reduce((best, g) => (knownFirst && known(g) > known(best) ? g : best));
      const all = this.termsOf[next] as number[];
      const sure = all.filter(usable);
      this.reorder(state, next, await this.best(state, next, sure.length > 0 ? sure : all));
      placed.add(next);
      left = left.filter((g) => g !== next);
    }
  }

  /** Coordinate descent from the state's orders. Returns the number of sweeps. */
  private async descend(state: State, random: Random, tolerance: number): Promise<number> {
    const groups = this.architecture.permutations.length;
    for (let sweep = 1; sweep <= maxSweeps; sweep++) {
      let progress = false;
      for (const g of random.permutation(groups)) {
        const terms = this.termsOf[g] as number[];
        // Where no other group has changed, neither has the best order.
        if (terms.every((t) => state.products[t])) continue;
        const order = await this.best(state, g, terms);
        if (this.gain(state, g, order) <= tolerance) continue;
        this.reorder(state, g, order);
        progress = true;
      }
      if (!progress) return sweep;
    }
    return maxSweeps;
  }

  /** The order of a group's units that suits these terms best. */
  private async best(state: State, g: number, terms: readonly number[]): Promise<Int32Array> {
    const { size } = this.architecture.permutations[g] as { size: number };
    const costs = new Float64Array(size * size);
    for (const t of terms) {
      const products = state.products[t] ?? (await this.multiply(state, t));
      state.products[t] = products;
      for (let i = 0; i < costs.length; i++) costs[i] = (costs[i] as number) - (products[i] as number);
    }
    return assign(costs, size).columns;
  }

  private async multiply(state: State, t: number): Promise<Float32Array> {
    const term = this.terms[t] as Term;
    const product = tf.tidy(() => {
      const model = state.unfolded[t] as tf.Tensor2D;
      const moved =
        term.others.length > 0
          ? tf.gather(model, tf.tensor1d(otherOrder(term, state.orders), 'int32'))
          : model;
      return tf.matMul(
        (this.reference[t] as tf.Tensor2D).reshape([-1, term.size]),
        moved.reshape([-1, term.size]),
        true,
      );
    });
    const products = await product.data<'float32'>();
    product.dispose();
    return products;
  }

  private reorder(state: State, g: number, order: Int32Array): void {
    state.orders[g] = order;
    for (const [t, { others }] of this.terms.entries()) {
      if (others.some(({ group }) => group === g)) state.products[t] = undefined;
    }
  }

  /** What the objective gains if a group gets this order, in float64: the products that suggested it are float32. */
  private gain(state: State, g: number, order: Int32Array): number {
    const current = state.orders[g] as Int32Array;
    const changed = [...order.keys()].filter((i) => order[i] !== current[i]);
    let gain = 0;
    for (const t of this.termsOf[g] as number[]) {
      const term = this.terms[t] as Term;
      const { shape, axis, start, block, length } = term;
      const inner = shape[2];
      const [unit, other] = axis === 0 ? [shape[1] * inner, inner] : [inner, shape[1] * inner];
      const a = this.target.get(term.parameter) as Float32Array;
      const b = state.weights.get(term.parameter) as Float32Array;
      const others = otherOrder(term, state.orders);
      for (const i of changed) {
        for (let q = 0; q < block; q++) {
          const [to, from, now] = [i, order[i] as number, current[i] as number].map(
            (u) => (start + u * block + q) * unit,
          ) as [number, number, number];
          for (let o = 0; o < length; o++) {
            const [x, moved] = [to + o * other, (others[o] as number) * other];
            for (let r = 0; r < inner; r++) {
              gain +=
                (a[x + r] as number) * ((b[from + moved + r] as number) - (b[now + moved + r] as number));
            }
          }
        }
      }
    }
    return gain;
  }
}

const identity = (size: number) => Int32Array.from({ length: size }, (_, i) => i);

/** Numbers by which a term compares two units. */
const rows = ({ length, block, shape }: Term) => length * block * shape[2];

/** The terms of all groups. Throws if an architecture orders both axes of a parameter by one group, which is no assignment. */
function termsOf({ name: architecture, parameters, permutations }: Outline): Term[] {
  const places = permutations.flatMap(({ axes }, group) => axes.map((place) => ({ group, place })));
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  return places.flatMap(({ group, place: { parameter, axis, start = 0, block = 1 } }): Term[] => {
    const shape = shapes.get(parameter);
    // A buffer of running statistics.
    if (!shape) return [];
    const others = places.filter(({ place }) => place.parameter === parameter && place.axis !== axis);
    if (axis > 1 || others.some((other) => other.group === group || other.place.axis > 1)) {
      throw new Error(
        `${architecture}: ${parameter} cannot be matched, only its first two axes may be permuted, by different groups`,
      );
    }
    const [first, second = 1, ...rest] = shape as [number, ...number[]];
    const inner = sizeOf(rest);
    return [
      {
        ...{ group, parameter, shape: [first, second, inner], axis: axis as 0 | 1, start, block, others },
        size: (permutations[group] as { size: number }).size,
        length: axis === 0 ? second : first,
      },
    ];
  });
}

/** The parameter as a matrix: a row for each position of the other axis, in it the term's units side by side for each number of theirs. */
function unfold(
  { parameter, shape, axis, start, size, block, length }: Term,
  weights: StateDict,
): tf.Tensor2D {
  return tf.tidy(() => {
    const whole = tf.tensor3d(weights.get(parameter) as Float32Array, shape);
    const part =
      axis === 0
        ? tf.slice(whole, [start, 0, 0], [size * block, -1, -1])
        : tf.slice(whole, [0, start, 0], [-1, size * block, -1]);
    const units =
      axis === 0
        ? tf.transpose(part.reshape([size, block, length, shape[2]]), [2, 1, 3, 0])
        : tf.transpose(part.reshape([length, size, block, shape[2]]), [0, 2, 3, 1]);
    return units.reshape([length, -1]);
  });
}

/** Where the positions of a term's other axis come from. */
function otherOrder({ length, others }: Term, orders: readonly Int32Array[]): Int32Array {
  const positions = identity(length);
  for (const { group, place } of others) reorder(positions, place, orders[group] as Int32Array);
  return positions;
}

/** The inner product of two models, over all that training changes, in float64. */
function inner({ parameters }: Outline, a: StateDict, b: StateDict): number {
  let sum = 0;
  for (const { name } of parameters) {
    const [x, y] = [a.get(name), b.get(name)] as [Float32Array, Float32Array];
    for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (y[i] as number);
  }
  return sum;
}
