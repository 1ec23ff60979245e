/** Which zoos a run has: one, or those of a list of folders. */
import { SharedBy } from '../base/shared.ts';
import type { Models, PaperSettings } from '../experiment/stage-plan.ts';
import type { Folder, ZooSettings } from '../experiment/types.ts';
import { type Combination, forAnother } from './for-another.ts';

/** What is in a folder of the plan. */
type FolderOf = (path: string) => Partial<Folder> | undefined;

/**
 * The zoos of a run: the one that is trained or imported, or each of a list of folders. What an entry does not say of its architecture and
 * data set, the folder does, or else the run. What the run's recipe says of training gives way to what theirs does.
 */
export function zoosOf(models: Models, folder: FolderOf, paper: PaperSettings): Models[] {
  const { settings } = models;
  const { import: imported } = settings.zoo;
  if (!Array.isArray(imported)) return [modelsOf(models)];
  return imported.map((entry) => {
    const given = typeof entry === 'string' ? { folder: entry } : entry;
    const said = folder(given.folder);
    const architecture = given.architecture ?? said?.architecture ?? models.architecture;
    const dataset = given.dataset ?? said?.dataset ?? models.dataset;
    const zoo = { ...trainedAs(models, { architecture, dataset }, paper), import: given.folder };
    return { architecture, dataset, settings: { ...settings, zoo } };
  });
}

const shared = new SharedBy<Models>();
/** By the settings of all seeds, which are one object. */
const known = new WeakMap<Models['settings'], Models>();

/** The models of a run: the same object for all runs that have the same, so that what these need is planned once. */
export function modelsOf(run: Models): Models {
  const before = known.get(run.settings);
  if (before?.architecture === run.architecture && before.dataset === run.dataset) return before;
  const models = sharedModels(run);
  known.set(run.settings, models);
  return models;
}

function sharedModels({ architecture, dataset, settings: { data, zoo, sane } }: Models): Models {
  const { alignment, alignment_orders } = sane;
  return shared.get(zoo, data, `${architecture} ${dataset} ${alignment} ${alignment_orders}`, () => ({
    architecture,
    dataset,
    settings: { data, zoo, sane: { alignment, alignment_orders } },
  }));
}

/** What is assumed of the training of networks whose zoo does not say it. */
export const trainingOf = ({
  optimizer,
  learning_rate,
  weight_decay,
  dropout,
  activation,
  init,
}: ZooSettings) => ({ optimizer, learning_rate, weight_decay, dropout, activation, init });

/** The settings of a run's zoo for networks of another kind. */
function trainedAs(run: Models, other: Combination, paper: PaperSettings): ZooSettings {
  const { zoo } = run.settings;
  const [own, its] = [paper(run).zoo, paper(other).zoo];
  return { ...zoo, ...forAnother(trainingOf(zoo), trainingOf(own), trainingOf(its)) };
}

/** Which of its zoos a run is about: the first of its architecture and data set; -1 if none is. */
export const homeOf = ({ architecture, dataset }: Models, zoos: readonly Models[]): number =>
  zoos.findIndex((one) => one.architecture === architecture && one.dataset === dataset);
