/** Stage `zoo-import` to a plan: the zoo in a folder, made one of this program. */
import type { CheckContext, Models, SettingProblem } from '../../experiment/stage-plan.ts';
import { didYouMean } from '../../experiment/suggest.ts';
import { networkBytes, networkOf } from '../cost.ts';
import type { Stage } from '../stage.ts';
import { pick, population } from '../work.ts';
import { homeOf, trainingOf, zoosOf } from '../zoos.ts';

export const zooImport: Stage<Models> = {
  name: 'zoo-import',
  description: 'converts a zoo of other people',
  version: 2,
  usesDevice: false,
  load: async () => (await import('./run.ts')).zooImportStage,

  /** What is in the folder counts, not where it is. */
  plan({ architecture, dataset, settings }, planner) {
    const { models, seed, checkpoints, split } = settings.zoo;
    const { path: folder, fingerprint } = planner.folder(settings.zoo.import as string);
    const images = planner.dataset(dataset);
    return {
      label: `zoo ${architecture}/${dataset}, imported`,
      config: {
        ...planner.written(architecture),
        ...{ architecture, dataset, fingerprint, models, vary: {}, seed, checkpoints, split },
        // Of the program's data sets, the name says it.
        ...(images?.folder && { images: { name: dataset, shape: [...images.shape] } }),
        assumed: trainingOf(settings.zoo),
      },
      inputs: {},
      options: { folder },
    };
  },

  check: (run, context) => checkFolders(run, ['zoo'], context),

  cost({ config }) {
    const network = networkOf(config, undefined);
    return { operations: 0, bytes: network ? population(config).samples * networkBytes(network) : 0 };
  },

  work: (config) => ({ settings: pick(config, ['architecture']), amount: population(config).samples }),
};

/** Of a zoo that is set at `place`: a list of folders none of which has the run's networks, or with networks whose layers nothing says. */
export function checkFolders(
  models: Models,
  place: readonly string[],
  { catalogue, folders, paper }: CheckContext,
): SettingProblem[] {
  const { import: imported } = models.settings.zoo;
  if (!Array.isArray(imported)) return [];
  const zoos = zoosOf(models, (path) => folders.get(path), paper);
  const names = Object.keys(catalogue.architectures);
  const unknown = zoos.flatMap(({ architecture }, i): SettingProblem[] =>
    names.includes(architecture)
      ? []
      : [
          {
            code: 'unknown-architecture',
            path: [...place, 'import', String(i)],
            message: `the folder says that its networks are ${architecture}, which is not known here`,
            hint:
              didYouMean(architecture, names) ??
              `write its layers under architectures, or give the entry another architecture, such as tensors`,
          },
        ],
  );
  if (unknown.length > 0 || homeOf(models, zoos) >= 0) return unknown;
  const there = zoos.map(({ architecture, dataset }) => `${architecture} on ${dataset}`);
  return [
    {
      code: 'no-such-zoo',
      path: [...place, 'import'],
      message: `none of these zoos is of ${models.architecture} on ${models.dataset}`,
      received: there.join(', '),
      hint: 'a run is about one of them: name its architecture and data set in grid, or give the entries theirs, as {folder: …, architecture: …}',
    },
  ];
}
