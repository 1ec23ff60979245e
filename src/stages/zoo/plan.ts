/** Stage `zoo` to a plan: a population of models, trained. */
import type { Models, Planner } from '../../experiment/stage-plan.ts';
import type { ZooSettings } from '../../experiment/types.ts';
import { epochOperations, networkBytes, networkOf } from '../cost.ts';
import { dataset, imageCounts } from '../dataset/plan.ts';
import { forwardOperations } from '../operations.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, population, populationSize, upTo } from '../work.ts';
import { checkZoo } from './check.ts';
import schema from './settings.json' with { type: 'json' };

/** Models that one job of a divided zoo trains, at most: two groups of the models that fill a vector with AVX-512. */
const modelsPerPart = 32;

/** How the models of a zoo are trained, and those that are made from it. */
export function recipeOf({ architecture, settings }: Models, planner: Planner): object {
  const { models_at_once: _, import: __, ...trained } = settings.zoo;
  return { architecture, ...planner.written(architecture), ...trained };
}

export const zoo: Stage<Models> = {
  name: 'zoo',
  description: 'trains a population of models',
  version: 3,
  usesDevice: true,
  load: async () => (await import('./run.ts')).zooStage,
  settings: {
    block: 'zoo',
    schema,
    // Tables are over seeds; of the checkpoints those that are used count.
    immaterial: ['seed', 'models_at_once', 'checkpoints'],
    renamed: { lockstep: 'models_at_once', crop: 'crop_padding' },
    nullMeans: { import: 'none', width: 'full' },
  },

  plan(models, planner) {
    const { architecture, dataset: name, settings } = models;
    const { models_at_once } = settings.zoo;
    return {
      label: `zoo ${architecture}/${name}`,
      config: recipeOf(models, planner),
      inputs: { dataset: planner.key(dataset, { dataset: name, data: settings.data, validation: 0 }) },
      parts: Math.ceil(populationSize(settings.zoo) / (models_at_once ?? modelsPerPart)),
      options: { models_at_once },
    };
  },

  work(config, input) {
    const images = pick(input('dataset'), ['dataset', 'train_images', 'test_images']);
    return {
      settings: [...pick(config, [...networkSettings, 'batch_size']), ...images],
      amount: population(config).models * (config.epochs as number),
    };
  },

  cost({ config, input }) {
    const images = input('dataset');
    const network = networkOf(config, images);
    if (!network) return undefined;
    const { models, samples } = population(config);
    const { train, test } = imageCounts(images);
    const training = models * (config.epochs as number) * epochOperations(network, images);
    return {
      // A checkpoint is measured on all images.
      operations: training + samples * forwardOperations(network, train + test),
      bytes: samples * networkBytes(network),
    };
  },

  /** Checkpoints that nobody gave are those up to the last epoch, which stands for the ones after it. */
  narrow({ zoo }, given): Record<string, number[]> {
    const { epochs, checkpoints } = zoo;
    if (given.has('zoo.checkpoints') || zoo.import !== null) return {};
    return { 'zoo.checkpoints': upTo(epochs, checkpoints) };
  },

  /**
   * At a constant rate a checkpoint does not depend on how many epochs come after it; of which epochs numbers are, the settings of
   * what is done with the zoo say.
   */
  isEquivalent: ({ setting }, { zoo }) => setting === 'zoo.epochs' && zoo.schedule === 'constant',

  folders: ({ zoo }) => foldersOf(zoo, ['zoo']),

  check: (run, context) => checkZoo(run, ['zoo'], context),
};

/** The folders that a zoo, which is set at `path`, is imported from. */
export function foldersOf({ import: imported }: Pick<ZooSettings, 'import'>, path: readonly string[]) {
  const at = [...path, 'import'];
  if (imported === null) return [];
  if (typeof imported === 'string') return [{ path: at, folder: imported }];
  return imported.map((entry, i) => ({
    path: [...at, String(i)],
    folder: typeof entry === 'string' ? entry : entry.folder,
  }));
}
