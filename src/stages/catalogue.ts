/** What every experiment is planned with: all that the registries have. */

import type { Json } from '../base/json.ts';
import { folderDataset } from '../data/folder/dataset.ts';
import { datasets } from '../data/registry.ts';
import type {
  ArchitectureDescription,
  Catalogue,
  Recipe,
  WrittenDescription,
} from '../experiment/catalogue.ts';
import { formatOf } from '../experiment/schema.ts';
import { architectures, opaque } from '../nets/registry.ts';
import { buildWritten, layerProblems, type WrittenArchitecture } from '../nets/written.ts';
import { schemaErrors } from '../nets/written-schema.ts';
import { deviceNames } from '../tensor/devices/registry.ts';
import recipes from './recipes.json' with { type: 'json' };
import { stages } from './registry.ts';

/** Networks of which nothing is known but their tensors, which are those of the imported files. */
const tensorsOnly: ArchitectureDescription = {
  name: opaque,
  description: 'any networks, of an imported zoo, of which only the tensors are known',
  width: null,
  opaque: true,
  build() {
    throw new Error(`of ${opaque} no layers are known`);
  },
};

function describe(name: string, value: unknown): WrittenDescription {
  const errors = schemaErrors(value);
  if (errors.length > 0) return { errors, problems: [] };
  const written = value as WrittenArchitecture;
  const problems = layerProblems(written);
  if (problems.length > 0) return { errors, problems };
  return {
    ...{ name, description: written.description ?? 'written in the experiment', width: null },
    written: value as Json,
    build: (options) => buildWritten(name, written, options),
  };
}

export const catalogue: Catalogue = {
  stages,
  architectures: { ...architectures, [opaque]: tensorsOnly },
  describe,
  datasets,
  imageFolder: folderDataset,
  devices: deviceNames,
  recipes: recipes.recipes as Recipe[],
};

/** Every setting's default. */
export const { defaults } = formatOf(catalogue);
