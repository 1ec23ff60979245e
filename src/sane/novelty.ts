/**
 * How new networks are beside those that a generator was trained on (Zeng et al. 2026, "Generative Modeling of Weights: Generalization or
 * Memorization?"): how far their weights lie from the nearest of them, and how many of their errors are the same.
 */
import type { Random } from '../base/random.ts';
import type { Outline, StateDict } from '../nets/architecture.ts';
import { permute } from '../nets/permute.ts';
import { WeightMatching } from './weight-matching.ts';

/**
 * The overlap of two networks' errors on the same images, |A ∩ B| / |A ∪ B| for the sets A and B of images that they get wrong, whatever
 * the wrong answers are; 0 where neither gets any wrong. `a` and `b` have a 1 for each wrong image, else 0.
 */
export function errorOverlap(a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    both += (a[i] as number) & (b[i] as number);
    either += (a[i] as number) | (b[i] as number);
  }
  return either === 0 ? 0 : both / either;
}

/** A network to be compared with training networks; `own` is its place among these where it is one of them, which it is not compared with. */
export interface Compared {
  weights: StateDict;
  own?: number | undefined;
}

/** The largest overlap of a network's errors with those of any training network. */
export const largestOverlap = (
  errors: Uint8Array,
  own: number | undefined,
  training: readonly Uint8Array[],
): number =>
  training.reduce((most, other, i) => (i === own ? most : Math.max(most, errorOverlap(errors, other))), 0);

/**
 * The distance of each network to the nearest training network, over all parameters: the least |P(x) - w| over training networks w and
 * orders P of the hidden units of x that weight matching finds. Matched are the `matches` training networks, all for null, that are nearest to x as it
 * is or as it is aligned to the first of them, so that it is an upper bound, and never more than without matching. Infinity where weights are not
 * finite. Without networks to compare with, an error.
 */
export async function nearestDistances(
  architecture: Outline,
  networks: readonly Compared[],
  training: readonly StateDict[],
  matches: number | null,
  random: (network: number, training: number) => Random,
): Promise<number[]> {
  if (networks.some(({ own }) => training.length === (own === undefined ? 0 : 1))) {
    throw new Error('a network has no other training network to be compared with');
  }
  const first = new WeightMatching(architecture, training[0] as StateDict);
  const nearest: { t: number; distance: number }[][] = [];
  for (const [n, { weights, own }] of networks.entries()) {
    const orders = [weights];
    if (Number.isFinite(distanceOf(architecture, weights, training[0] as StateDict))) {
      const { permutations } = await first.match(weights, random(n, training.length));
      orders.push(permute(architecture, weights, permutations));
    }
    const others = training.flatMap((other, t) => {
      const distance = Math.min(...orders.map((order) => distanceOf(architecture, order, other)));
      return t === own ? [] : [{ t, distance }];
    });
    nearest.push(others.sort((a, b) => a.distance - b.distance));
  }
  first.dispose();
  const found = nearest.map(([one]) => one?.distance as number);
  for (const [t, target] of training.entries()) {
    const near = networks.flatMap((_, n) => {
      const matched = nearest[n]?.slice(0, matches ?? undefined);
      return Number.isFinite(found[n]) && matched?.some((other) => other.t === t) ? [n] : [];
    });
    if (near.length === 0) continue;
    const matching = new WeightMatching(architecture, target);
    for (const n of near) {
      const { distance } = await matching.match((networks[n] as Compared).weights, random(n, t));
      found[n] = Math.min(found[n] as number, distance);
    }
    matching.dispose();
  }
  return found;
}

/** |a - b| over all parameters, in float64; Infinity where a number is not finite. */
function distanceOf({ parameters }: Outline, a: StateDict, b: StateDict): number {
  let squares = 0;
  for (const { name } of parameters) {
    const [x, y] = [a.get(name), b.get(name)] as [Float32Array, Float32Array];
    for (let i = 0; i < x.length; i++) squares += ((x[i] as number) - (y[i] as number)) ** 2;
  }
  return Number.isFinite(squares) ? Math.sqrt(squares) : Number.POSITIVE_INFINITY;
}
