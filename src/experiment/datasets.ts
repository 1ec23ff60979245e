/** Folders of images that an experiment names as data sets, in its block `datasets`. */
import { plural } from '../base/plural.ts';
import type { Catalogue, DatasetDescription } from './catalogue.ts';
import type { Located } from './translate.ts';
import type { OwnDataset } from './types.ts';

/** Where a folder is that an experiment names, from its own folder on. Throws an Error for a path that cannot be read. */
export type ResolvePath = (path: string) => string;

/**
 * The catalogue with the data sets of the block, and what is wrong with them. Those that are wrong are known by name all the same, so that
 * what uses them is no mistake too. What is not as the schema has it, the schema's check reports.
 */
export function ownDatasets(
  block: unknown,
  catalogue: Catalogue,
  resolve: ResolvePath,
): { catalogue: Catalogue; located: Located[] } {
  if (typeof block !== 'object' || block === null || Array.isArray(block)) return { catalogue, located: [] };
  const located: Located[] = [];
  const own: Record<string, DatasetDescription> = {};
  for (const [name, value] of Object.entries(block as Record<string, unknown>)) {
    const path = ['datasets', name];
    if (name in catalogue.datasets) {
      const hint = `call it otherwise, such as my-${name}`;
      const problem = { code: 'known-name', message: `there is a data set ${name} already`, hint };
      located.push({ path, markKey: true, problem });
      continue;
    }
    const counts = { train: 1, test: 1 };
    own[name] = { name, description: '', shape: [1, 1, 1], classes: 1, counts, standsFor: [] };
    if (!isOwnDataset(value)) continue;
    try {
      const { stands_for, ...images } = value;
      const found = catalogue.imageFolder(name, { ...images, folder: resolve(value.folder) });
      own[name] = { ...found, standsFor: stands_for === undefined ? [] : [stands_for] };
      const other = catalogue.datasets[stands_for ?? ''];
      if (other && other.classes !== found.classes) {
        const message = `${name} has ${plural(found.classes, 'class', 'classes')}, ${stands_for} has ${other.classes}: accuracies cannot be compared`;
        const problem = { code: 'other-classes', message, hint: 'take stands_for out' };
        located.push({ path: [...path, 'stands_for'], markKey: false, problem });
      }
    } catch (error) {
      const problem = { code: 'no-images', message: (error as Error).message };
      located.push({ path: [...path, 'folder'], markKey: false, problem });
    }
  }
  return { catalogue: { ...catalogue, datasets: { ...catalogue.datasets, ...own } }, located };
}

/** Whether a value is what the schema has for one. */
function isOwnDataset(value: unknown): value is OwnDataset {
  if (typeof value !== 'object' || value === null) return false;
  const { folder, test_share: share, resize, stands_for: other } = value as Record<string, unknown>;
  return (
    typeof folder === 'string' &&
    (share === undefined || (typeof share === 'number' && share > 0 && share < 1)) &&
    (resize === undefined || (Number.isInteger(resize) && (resize as number) > 0)) &&
    (other === undefined || typeof other === 'string')
  );
}
