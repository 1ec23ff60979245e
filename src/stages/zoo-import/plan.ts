/** Stage `zoo-import` to a plan: the zoo in a folder, made one of this program. */
import type { CheckContext, Models, PlannedRun, SettingProblem } from '../../experiment/stage-plan.ts';
import { didYouMean } from '../../experiment/suggest.ts';
import type { Stage } from '../stage.ts';
import { pick, population } from '../work.ts';
import { homeOf, zoosOf } from '../zoos.ts';

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

  check: checkFolders,

  work: (config) => ({ settings: pick(config, ['architecture']), amount: population(config).samples }),
};

/** A list of folders none of which has the run's networks, or with networks whose layers nothing says. */
function checkFolders(run: PlannedRun, { catalogue, folders }: CheckContext): SettingProblem[] {
  const { import: imported } = run.settings.zoo;
  if (!Array.isArray(imported)) return [];
  const zoos = zoosOf(run, (path) => folders.get(path));
  const names = Object.keys(catalogue.architectures);
  const unknown = zoos.flatMap(({ architecture }, i): SettingProblem[] =>
    names.includes(architecture)
      ? []
      : [
          {
            code: 'unknown-architecture',
            path: ['zoo', 'import', String(i)],
            message: `the folder says that its networks are ${architecture}, which is not known here`,
            hint:
              didYouMean(architecture, names) ??
              `write its layers under architectures, or give the entry another architecture, such as tensors`,
          },
        ],
  );
  if (unknown.length > 0 || homeOf(run, zoos) >= 0) return unknown;
  const there = zoos.map(({ architecture, dataset }) => `${architecture} on ${dataset}`);
  return [
    {
      code: 'no-such-zoo',
      path: ['zoo', 'import'],
      message: `none of these zoos is of ${run.architecture} on ${run.dataset}`,
      received: there.join(', '),
      hint: 'a run is about one of them: name its architecture and data set in grid, or give the entries theirs, as {folder: …, architecture: …}',
    },
  ];
}
