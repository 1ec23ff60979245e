import { basename, resolve } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import { type FolderDataset, folderDataset } from '../data/folder/dataset.ts';
import { datasets } from '../data/registry.ts';

/** The program's data set of this name, or the images in a folder. Throws a FormatError that says what is wrong with the folder. */
export function datasetAt(name: string): Dataset & Partial<Pick<FolderDataset, 'folder'>> {
  const folder = resolve(name);
  return datasets[name] ?? folderDataset(basename(folder), { folder });
}
