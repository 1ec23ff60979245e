/** Stage `sane`: pretrains SANE on a zoo. Its state is saved regularly, and an interrupted pretraining resumes from it. */

import { type SaneDescription, saveAutoencoder } from '../../sane/checkpoint.ts';
import { embedModels } from '../../sane/embed.ts';
import { Sane } from '../../sane/model.ts';
import type { SaneShape } from '../../sane/parameters.ts';
import { positionRows } from '../../sane/position-tables.ts';
import type { PretrainConfig } from '../../sane/pretrain.ts';
import { embeddingSpread } from '../../sane/spread.ts';
import { type TokenLayout, tokenLayout } from '../../sane/tokenize.ts';
import { pretrainInFolder } from '../../sane/training.ts';
import { ViewLoader } from '../../sane/view-loader.ts';
import { findSamples, readStandardized, type SampleSet, standardizedSets } from '../../sane/zoo-samples.ts';
import { openZoo } from '../../zoo/zoo.ts';
import type { StageImplementation } from '../stage.ts';

/** The model's sizes for a zoo's tokens: its position tables hold just the positions that there are. */
export function saneShape(layout: TokenLayout, config: PretrainConfig): SaneShape {
  const { token_size, d_model, latent_dim, layers, heads, projection_dim } = config;
  const [tokens, layerTable, rows] = positionRows(layout);
  const [n, l, r] = config.positions ?? [0, 0, 0];
  const positions = [Math.max(tokens, n), Math.max(layerTable, l), Math.max(rows, r)] as const;
  const window = Math.min(config.window, layout.tokens);
  return { token_size, d_model, latent_dim, layers, heads, projection_dim, window, positions };
}

/** The samples of the last epoch there is, which prompts are of by default. */
function lastEpochOf({ samples, standardization }: SampleSet): SampleSet {
  const last = Math.max(...samples.map(({ checkpoint }) => checkpoint.epoch));
  return { samples: samples.filter(({ checkpoint }) => checkpoint.epoch === last), standardization };
}

export const saneStage: StageImplementation = {
  async execute({ config: json, inputs, dir, report }) {
    const config = json as unknown as PretrainConfig;
    const zoo = await openZoo(inputs.zoo as string);
    const { architecture } = zoo;
    const layout = tokenLayout(architecture, config.token_size, config.batch_norm_tokens);
    const samples = await findSamples(zoo, config.checkpoints, inputs.alignment);
    const splits = ['train', 'val'] as const;
    const sets = standardizedSets(config.standardization, architecture, layout, samples, splits, { report });
    const shape = saneShape(layout, config);
    const description = {
      architecture: architecture.name,
      shape,
      batch_norm_tokens: config.batch_norm_tokens,
      standardization: config.standardization,
      epochs: [...(config.checkpoints ?? zoo.manifest.epochs)].sort((a, b) => a - b),
    };
    using loader = new ViewLoader({ architecture, layout }, sets);
    await pretrainInFolder(
      { dir, report },
      loader,
      config,
      (weights) => new Sane(shape, weights),
      async (sane) => {
        const models = readStandardized(architecture, layout, lastEpochOf(sets.train));
        const spread = await embeddingSpread(embedModels(sane, layout, models));
        const whole: SaneDescription = { ...description, embedding_spread: spread };
        await saveAutoencoder(dir, sane, whole, sets.train.standardization);
      },
    );
  },
};
