import { readdir } from 'node:fs/promises';
import { FormatError } from '../../base/source.ts';
import type { NetworkOptions } from '../formats/network.ts';
import { manifestName } from '../zoo.ts';
import type { FoundZoo } from './found.ts';
import { listNames } from './list.ts';
import { findListedZoo } from './listed.ts';
import { findOwnZoo } from './own.ts';
import { findPublishedZoo, isPublishedZoo } from './published.ts';
import { findSmallCnnZoo, isSmallCnnZoo } from './small-cnn-zoo.ts';

/** The zoo in a folder, whichever of the known kinds it is. Throws a FormatError that says what a folder needs to be one. */
export async function findZoo(dir: string, options: NetworkOptions = {}): Promise<FoundZoo> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    const reason = { ENOENT: 'there is no such folder', ENOTDIR: 'not a folder' }[error.code ?? ''];
    throw new FormatError(`${dir}: ${reason ?? error.message}`);
  });
  const list = listNames.find((name) => names.includes(name));
  if (list) return findListedZoo(dir, list, options);
  if (names.includes(manifestName)) return findOwnZoo(dir);
  if (isSmallCnnZoo(names)) return findSmallCnnZoo(dir, names);
  if (await isPublishedZoo(dir)) return findPublishedZoo(dir, options);
  throw new FormatError(
    `${dir}: no zoo is here: neither folders of trainings with a result.json in each, nor a weights.npy of the Small CNN Zoo, nor a list of checkpoint files in zoo.yaml. \`exp zoo init ${dir}\` writes such a list:\n  dataset: cifar-10\n  checkpoints:\n    - {file: a.pt, model: a, epoch: 10, train_accuracy: 0.7, test_accuracy: 0.6}`,
  );
}
