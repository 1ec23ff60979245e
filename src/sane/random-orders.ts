/**
 * The random orders of hidden units that permuted views have: a new one for every view, or one of a few that were drawn once (Appendix A).
 */

import { Random } from '../base/random.ts';
import type { SaneSettings } from '../experiment/types.ts';
import { type Permutations, randomOrders } from '../nets/permute.ts';
import type { ViewedModel } from './views.ts';

/** Orders that are drawn once. They depend on the seed. */
export interface RandomOrders {
  seed: number;
  /** How many a model's views are chosen from. */
  count: number;
  /**
   * own: each model has its own. shared: all have the same. pool: as the authors' code of June 2024 prepared its data, each model has its own
   * few of one pool, and the model as it is besides.
   */
  protocol: SaneSettings['permutation_protocol'];
}

/** Orders in the pool: of training in the code of June 2024, which has 10 others for tests. As the most that `sane.permutations` may be. */
const poolSize = 200;

const asItIs: Permutations = new Map();

/**
 * The order that a model has in a view, 0 or 1, of one batch. Of a pool, the batch's views are two different ones of the count + 1 that every
 * model has: drawn once for all of the batch, as that code did.
 */
export function batchOrders(
  drawnOnce: RandomOrders | undefined,
  random: Random,
): (model: Pick<ViewedModel, 'name' | 'origin'>, view: number) => Permutations {
  if (!drawnOnce) return ({ origin }) => randomOrders(origin.architecture, random);
  const { seed, count, protocol } = drawnOnce;
  const named = ({ origin }: Pick<ViewedModel, 'origin'>, ...name: (string | number)[]) =>
    randomOrders(origin.architecture, new Random(seed, 'permutation', ...name));
  if (protocol !== 'pool') {
    return (model) => named(model, protocol === 'shared' ? 'all' : model.name, random.integer(count));
  }
  const slots = random.permutation(count + 1);
  return (model, view) => {
    const slot = slots[view] as number;
    if (slot === 0) return asItIs;
    const own = new Random(seed, 'permutation', 'few', model.name).permutation(poolSize);
    return named(model, 'pool', own[slot - 1] as number);
  };
}
