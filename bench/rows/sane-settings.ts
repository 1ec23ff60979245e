/** The SANE that is measured: the paper's token, window and depth (Table 8), narrower than its 1024 to fit a CPU. */
import { Random } from '../../src/base/random.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import type { PretrainConfig } from '../../src/sane/pretrain.ts';
import { tokenLayout } from '../../src/sane/tokenize.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { saneShape } from '../../src/stages/sane/run.ts';

/** Settings of that width; everything that is not named is the schema's default. */
export function saneSettings(width: number): PretrainConfig {
  const measured = { token_size: 289, window: 64, layers: 4, heads: 8, batch_size: 16, d_model: width };
  return { ...defaults.sane, ...measured, seed: 0 };
}

/** Models of 93 tokens. */
export const architecture = getArchitecture('cnn-large', { input: [32, 32, 3], classes: 10, width: null });
export const layout = tokenLayout(architecture, saneSettings(128).token_size);

/** The sizes that the parameters depend on. */
export const shapeOf = (width: number) => saneShape([layout], saneSettings(width));

/** So many models' weights, standard normal as if they were standardised. */
export function models(count: number): Float32Array[] {
  return Array.from({ length: count }, (_, i) => new Random(i, 'bench', 'model').normals(layout.numbers));
}
