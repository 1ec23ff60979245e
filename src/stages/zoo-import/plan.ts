/** Stage `zoo-import` to a plan: the zoo in a folder, made one of this program. */
import type { Models } from '../../experiment/stage-plan.ts';
import type { Stage } from '../stage.ts';
import { pick, population } from '../work.ts';

export const zooImport: Stage<Models> = {
  name: 'zoo-import',
  description: 'converts a zoo of other people',
  version: 2,
  usesDevice: false,
  load: async () => (await import('./run.ts')).zooImportStage,

  /** What is in the folder counts, not where it is. */
  plan({ architecture, dataset, settings }, planner) {
    const { models, seed, checkpoints, split, ...rest } = settings.zoo;
    const { optimizer, learning_rate, weight_decay, dropout, activation, init } = rest;
    const { path: folder, fingerprint } = planner.folder(settings.zoo.import as string);
    const images = planner.dataset(dataset);
    return {
      label: `zoo ${architecture}/${dataset}, imported`,
      config: {
        ...planner.written(architecture),
        ...{ architecture, dataset, fingerprint, models, vary: {}, seed, checkpoints, split },
        // Of the program's data sets, the name says it.
        ...(images?.folder && { images: { name: dataset, shape: [...images.shape] } }),
        assumed: { optimizer, learning_rate, weight_decay, dropout, activation, init },
      },
      inputs: {},
      options: { folder },
    };
  },

  work: (config) => ({ settings: pick(config, ['architecture']), amount: population(config).samples }),
};
