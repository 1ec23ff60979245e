/** Which models a zoo has: their seeds, hyper-parameters and split. Pure. */
import { Random } from '../base/random.ts';
import { splitSizes } from '../base/shares.ts';
import type { Architecture, ZooSettings } from '../experiment/types.ts';
import type { WrittenArchitecture } from '../nets/written.ts';

/** Config of stage `zoo`. */
export type ZooConfig = ZooSettings & {
  architecture: Architecture;
  /** Its layers, where the experiment has them. */
  written?: WrittenArchitecture;
};

export type Split = 'train' | 'val' | 'test';

/** What may differ between the models of a zoo. */
export type Hyperparameters = Pick<
  ZooSettings,
  'optimizer' | 'learning_rate' | 'weight_decay' | 'dropout' | 'activation' | 'init'
>;

export interface Member {
  id: string;
  /** Of its initialisation and data order. */
  seed: number;
  hyperparameters: Hyperparameters;
}

/** Those that a zoo's settings have, where nothing varies. */
export const hyperparametersOf = ({
  optimizer,
  learning_rate,
  weight_decay,
  dropout,
  activation,
  init,
}: Hyperparameters): Hyperparameters => ({
  optimizer,
  learning_rate,
  weight_decay,
  dropout,
  activation,
  init,
});

/** Every combination of the lists in zoo.vary; a single one where nothing varies. */
function combinations(config: ZooConfig): Hyperparameters[] {
  let all = [hyperparametersOf(config)];
  for (const [name, values] of Object.entries(config.vary)) {
    all = all.flatMap((one) => values.map((value) => ({ ...one, [name]: value })));
  }
  return all;
}

/** The zoo's models in order. A larger zoo begins with the same models: seeds are the outer loop. */
export function members(config: ZooConfig): Member[] {
  const settings = combinations(config);
  const total = config.models * settings.length;
  const digits = Math.max(4, String(total - 1).length);
  return Array.from({ length: total }, (_, i) => ({
    id: `model-${String(i).padStart(digits, '0')}`,
    seed: config.seed + Math.floor(i / settings.length),
    hyperparameters: settings[i % settings.length] as Hyperparameters,
  }));
}

/** Splits by model (all checkpoints of a model together) after a shuffle by the zoo's seed; the rest goes to test. */
export function splitMembers(count: number, shares: readonly number[], seed: number): Split[] {
  const order = new Random(seed, 'zoo', 'split').permutation(count);
  const [train, val] = splitSizes(count, shares);
  const splits: Split[] = new Array(count);
  for (const [rank, model] of order.entries())
    splits[model] = rank < train ? 'train' : rank < train + val ? 'val' : 'test';
  return splits;
}
