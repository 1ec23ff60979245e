/** Stage `hyper-representation`: trains the baseline's autoencoder on a zoo. An interrupted training resumes from its last state. */

import type { HyperRepresentationSettings } from '../../experiment/types.ts';
import { saveAutoencoder } from '../../sane/checkpoint.ts';
import { HyperRepresentation, type HyperRepresentationShape } from '../../sane/hyper-representation/model.ts';
import { type LayerRows, layerScales, rowLayout } from '../../sane/hyper-representation/rows.ts';
import type { PretrainConfig } from '../../sane/pretrain.ts';
import type { TokenLayout } from '../../sane/tokenize.ts';
import { pretrainInFolder } from '../../sane/training.ts';
import { ViewLoader } from '../../sane/view-loader.ts';
import { findSamples, readSamples } from '../../sane/zoo-samples.ts';
import { openZoo } from '../../zoo/zoo.ts';
import type { StageImplementation } from '../stage.ts';

type HyperRepresentationConfig = HyperRepresentationSettings & { seed: number };

/** What SANE's pretraining is to do: every window is a whole network. */
const pretrainConfig = (config: HyperRepresentationConfig, layout: TokenLayout): PretrainConfig => ({
  ...config,
  token_size: layout.tokenSize,
  window: layout.tokens,
  windows_per_sample: 1,
  batch_norm_tokens: false,
  positions: null,
  permutations: null,
  permutation_protocol: 'own',
  standardization: 'per-layer',
  padding_in_loss: false,
  gradient_accumulation: 1,
  gradient_clip: null,
});

/** The sizes for networks of these layers. */
export const shapeOf = (
  { d_model, latent_dim, layers, heads, projection_dim }: HyperRepresentationConfig,
  rows: LayerRows[],
): HyperRepresentationShape => ({ d_model, latent_dim, layers, heads, projection_dim, rows });

export const hyperRepresentationStage: StageImplementation = {
  async execute({ config: json, inputs, dir, report }) {
    const config = json as unknown as HyperRepresentationConfig;
    const zoo = await openZoo(inputs.zoo as string);
    const { architecture } = zoo;
    const { layout, layers } = rowLayout(architecture);
    const { train, val } = await findSamples(zoo, config.checkpoints, undefined);
    const scales = layerScales(layout, () => readSamples(architecture, train, report));
    const scaled = (samples: typeof train) => ({ samples, standardization: scales });
    const sets = { train: scaled(train), val: scaled(val) };
    using loader = new ViewLoader([{ origin: { architecture, layout }, sets }]);
    const shape = shapeOf(config, layers);
    await pretrainInFolder(
      { dir, report },
      loader,
      pretrainConfig(config, layout),
      (weights) => new HyperRepresentation(shape, weights),
      (model) => saveAutoencoder(dir, model, { architecture: architecture.name, shape }, scales),
    );
  },
};
