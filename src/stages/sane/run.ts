/** Stage `sane`: pretrains SANE on zoos. Its state is saved regularly, and an interrupted pretraining resumes from it. */

import { join } from 'node:path';
import { readJson } from '../../base/files.ts';
import type { Report } from '../../base/progress.ts';
import { writeSafetensors } from '../../base/safetensors.ts';
import { type AlignmentSummary, summaryName } from '../../sane/alignment.ts';
import { referenceName, type SaneDescription, type SaneZoo, saveSane } from '../../sane/checkpoint.ts';
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
import type { ZooModel } from '../../zoo/zoo.ts';
import { type AlignedZoo, openZoos } from '../open-zoos.ts';
import type { StageImplementation } from '../stage.ts';
import { prepareBehaviour } from './behaviour.ts';

/**
 * The model's sizes for the tokens of these architectures: its position tables hold just the positions that there are, and a window fits
 * into the smallest network.
 */
export function saneShape(layouts: readonly TokenLayout[], config: PretrainConfig): SaneShape {
  const { token_size, d_model, latent_dim, layers, heads, projection_dim } = config;
  const needed = [config.positions ?? [0, 0, 0], ...layouts.map(positionRows)];
  const most = (k: 0 | 1 | 2) => Math.max(...needed.map((rows) => rows[k]));
  const positions = [most(0), most(1), most(2)] as const;
  const window = Math.min(config.window, ...layouts.map(({ tokens }) => tokens));
  return { token_size, d_model, latent_dim, layers, heads, projection_dim, window, positions };
}

/** A zoo as it is trained on. */
type TrainedZoo = Awaited<ReturnType<typeof prepareZoo>>;

async function prepareZoo({ zoo, alignment }: AlignedZoo, config: PretrainConfig, report: Report) {
  const { architecture } = zoo;
  const layout = tokenLayout(architecture, config.token_size, config.batch_norm_tokens);
  const samples = await findSamples(zoo, config.checkpoints, alignment);
  const splits = ['train', 'val'] as const;
  const sets = standardizedSets(config.standardization, architecture, layout, samples, splits, { report });
  return { zoo, alignment, layout, sets };
}

/** The samples of the last epoch there is, which prompts are of by default. */
function lastEpochOf({ samples, standardization }: SampleSet): SampleSet {
  const last = Math.max(...samples.map(({ checkpoint }) => checkpoint.epoch));
  return { samples: samples.filter(({ checkpoint }) => checkpoint.epoch === last), standardization };
}

function activationOf(models: readonly ZooModel[]): SaneZoo['activation'] {
  const [activation, ...others] = new Set(models.map(({ hyperparameters }) => hyperparameters.activation));
  return others.length === 0 ? (activation ?? null) : null;
}

/** Keeps the weights that a zoo's models are aligned to, so that others can be aligned like them. Returns the file's name, and what else that takes. */
async function keepReference(
  dir: string,
  index: number,
  { zoo, alignment }: TrainedZoo,
): Promise<Pick<SaneZoo, 'reference' | 'alignment_orders'>> {
  if (alignment === undefined || zoo.architecture.permutations.length === 0) return { reference: null };
  const { reference, orders } = (await readJson(join(alignment, summaryName))) as AlignmentSummary;
  const model = zoo.manifest.models.find(({ id }) => id === reference.model) as ZooModel;
  const weights = await zoo.weights(model, reference.epoch);
  const tensors = zoo.architecture.state.map(({ name, shape }) => ({
    ...{ name, shape, data: weights.get(name) as Float32Array },
  }));
  const name = referenceName(index);
  await writeSafetensors(join(dir, name), tensors);
  return { reference: name, alignment_orders: orders };
}

/** What is kept of a zoo for the use of SANE on other networks of its kind. */
async function describeZoo(dir: string, index: number, trained: TrainedZoo, sane: Sane): Promise<SaneZoo> {
  const { zoo, layout, sets } = trained;
  const models = readStandardized(zoo.architecture, layout, lastEpochOf(sets.train));
  return {
    architecture: zoo.manifest.architecture,
    options: zoo.manifest.options,
    activation: activationOf(zoo.manifest.models),
    ...(await keepReference(dir, index, trained)),
    embedding_spread: await embeddingSpread(embedModels(sane, layout, models)),
  };
}

export const saneStage: StageImplementation = {
  async execute({ config: json, inputs, dir, report }) {
    const config = json as unknown as PretrainConfig;
    const zoos: TrainedZoo[] = [];
    for (const one of await openZoos(inputs)) zoos.push(await prepareZoo(one, config, report));
    const shape = saneShape(
      zoos.map(({ layout }) => layout),
      config,
    );
    const epochs = new Set(config.checkpoints ?? zoos.flatMap(({ zoo }) => zoo.manifest.epochs));
    using loader = new ViewLoader(
      zoos.map(({ zoo: { architecture }, layout, sets }) => ({ origin: { architecture, layout }, sets })),
    );
    // Only where networks are asked are there images.
    const behaviour = inputs.dataset
      ? await prepareBehaviour(zoos[0] as TrainedZoo, inputs.dataset, config.queries as number)
      : undefined;
    await pretrainInFolder(
      { dir, report },
      loader,
      { ...config, window: shape.window },
      (weights) => new Sane(shape, weights),
      async (sane) => {
        const described: SaneZoo[] = [];
        for (const [i, zoo] of zoos.entries()) described.push(await describeZoo(dir, i, zoo, sane));
        const description: SaneDescription = {
          shape,
          batch_norm_tokens: config.batch_norm_tokens,
          standardization: config.standardization,
          epochs: [...epochs].sort((a, b) => a - b),
          zoos: described,
        };
        const standardizations = zoos.map(({ sets }) => sets.train.standardization);
        await saveSane(dir, sane, description, standardizations);
      },
      { behaviour: behaviour?.loss },
    );
    behaviour?.images.dispose();
  },
};
