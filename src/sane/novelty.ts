/**
 * How new networks are beside those that a generator was trained on (Zeng et al. 2026, "Generative Modeling of Weights: Generalization or
 * Memorization?"): how far their weights lie from the nearest of them, and how many of their errors are the same.
 */
import type { Random } from '../base/random.ts';
import type { Outline, StateDict } from '../nets/architecture.ts';
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
 * orders P of the hidden units of x that weight matching finds. Matched are the `matches` training networks that are nearest as they are, all
 * for null, so that it is an upper bound, and never more than without matching. Infinity where weights are not finite. Without networks to compare
 * with, an error.
 */
export async function nearestDistances(
  architecture: Outline,
  networks: readonly Compared[],
  training: readonly StateDict[],
  matches: number | null,
  random: (network: number, training: number) => Random,
): Promise<number[]> {
  const nearest = networks.map(({ weights, own }) => {
    const others = training.flatMap((other, t) =>
      t === own ? [] : [{ t, distance: distanceOf(architecture, weights, other) }],
    );
    if (others.length === 0) throw new Error('a network has no other training network to be compared with');
    return others.sort((a, b) => a.distance - b.distance);
  });
  const found = nearest.map(([first]) => first?.distance as number);
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
