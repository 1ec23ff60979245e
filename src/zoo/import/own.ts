/** Zoos in this program's own format: artefacts of stage `zoo`, and what `exp zoo import` wrote. */

import { join } from 'node:path';
import { FormatError } from '../../base/source.ts';
import { readJson } from '../formats/json.ts';
import { manifestName, modelFile, openZoo } from '../zoo.ts';
import { dictOf, type FoundZoo } from './found.ts';

/** The models of a zoo that this program wrote. Throws a FormatError if its manifest is not such a zoo's. */
export async function findOwnZoo(dir: string): Promise<FoundZoo> {
  const path = join(dir, manifestName);
  const manifest = dictOf(await readJson(path));
  if (typeof manifest.architecture !== 'string' || !Array.isArray(manifest.models) || !manifest.options) {
    throw new FormatError(`${path}: this is no manifest of a zoo of this program`);
  }
  const zoo = await openZoo(dir);
  const shapes = new Map(zoo.architecture.state.map(({ name, shape }) => [name, shape]));
  return {
    architecture: zoo.manifest.architecture,
    dataset: zoo.manifest.dataset,
    dropped: [],
    models: zoo.manifest.models.map((model) => ({
      ...model,
      checkpoints: model.checkpoints.map((checkpoint) => ({
        epoch: checkpoint.epoch,
        measured: checkpoint,
        path: `${modelFile(dir, model.id)}, epoch ${checkpoint.epoch}`,
        open: async () => ({
          shapes,
          unused: [],
          readAll: () => zoo.weights(model, checkpoint.epoch),
          close: async () => {},
        }),
      })),
    })),
  };
}
