/** What every experiment is planned with: all that the registries have. */
import { datasets } from '../data/registry.ts';
import type { Catalogue, Recipe } from '../experiment/catalogue.ts';
import { formatOf } from '../experiment/schema.ts';
import { architectures } from '../nets/registry.ts';
import { deviceNames } from '../tensor/devices/registry.ts';
import recipes from './recipes.json' with { type: 'json' };
import { stages } from './registry.ts';

export const catalogue: Catalogue = {
  stages,
  architectures,
  datasets,
  devices: deviceNames,
  recipes: recipes.recipes as Recipe[],
};

/** Every setting's default. */
export const { defaults } = formatOf(catalogue);
