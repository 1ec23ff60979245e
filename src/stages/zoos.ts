/** Which zoos a run has: one, or those of a list of folders. */
import type { Models } from '../experiment/stage-plan.ts';
import type { Folder } from '../experiment/types.ts';

/** What is in a folder of the plan. */
type FolderOf = (path: string) => Partial<Folder> | undefined;

/**
 * The zoos of a run: the one that is trained or imported, or each of a list of folders. What an entry does not say of its architecture and
 * data set, the folder does, or else the run.
 */
export function zoosOf(models: Models, folder: FolderOf): Models[] {
  const { settings } = models;
  const { import: imported } = settings.zoo;
  if (!Array.isArray(imported)) return [models];
  return imported.map((entry) => {
    const given = typeof entry === 'string' ? { folder: entry } : entry;
    const said = folder(given.folder);
    return {
      architecture: given.architecture ?? said?.architecture ?? models.architecture,
      dataset: given.dataset ?? said?.dataset ?? models.dataset,
      settings: { ...settings, zoo: { ...settings.zoo, import: given.folder } },
    };
  });
}

/** Which of its zoos a run is about: the first of its architecture and data set; -1 if none is. */
export const homeOf = ({ architecture, dataset }: Models, zoos: readonly Models[]): number =>
  zoos.findIndex((one) => one.architecture === architecture && one.dataset === dataset);
