/** What the methods of the task `generation` work with: prompts and their embeddings, a decoder, images to measure on. */

import { Random } from '../../base/random.ts';
import type { ImageFormat } from '../../data/dataset.ts';
import { loadImages } from '../../data/images.ts';
import { accuracies, condition, ensembleAccuracy, errorsOf } from '../../nets/accuracy.ts';
import type { Activation, StateDict } from '../../nets/architecture.ts';
import type { LabelledImages } from '../../nets/population.ts';
import { getArchitecture, withLayers } from '../../nets/registry.ts';
import { loadSane, type SaneZoo } from '../../sane/checkpoint.ts';
import { decodeModels } from '../../sane/decode.ts';
import { embedModels, tokensAtOnce } from '../../sane/embed.ts';
import type { FlowSettings } from '../../sane/flow/networks.ts';
import type { SaneShape } from '../../sane/parameters.ts';
import { positionProblem, positionRows } from '../../sane/position-tables.ts';
import {
  destandardize,
  fitStandardization,
  type Standardization,
  standardize,
} from '../../sane/standardize.ts';
import { type TokenLayout, tokenLayout, unflatten, withUntokenized } from '../../sane/tokenize.ts';
import { findSamples, readSample, type Sample } from '../../sane/zoo-samples.ts';
import { tf } from '../../tensor/tf.ts';
import type { ZooConfig } from '../../zoo/members.ts';
import { prepare, prepareBoth } from '../../zoo/train.ts';
import { type Checkpoint, openZoo, type Zoo, type ZooModel } from '../../zoo/zoo.ts';
import type { StageContext } from '../stage.ts';
import { baselineSampler } from './baseline.ts';
import type { Baseline } from './baselines.ts';
import type { Method, Prompt, Sampler, SamplingSettings } from './methods.ts';
import type { Novelty } from './novelty.ts';
import { transplant } from './transplant.ts';

/** Config of stage `generation`; `recipe` and, as it changes no number, beside it `models_at_once` are those of the prompts' zoo. */
export type Config = SamplingSettings & {
  seed: number;
  /** Where it is a method. */
  flow?: FlowSettings;
  recipe: ZooConfig;
  models_at_once: number | null;
} & {
  /** Which of SANE's zoos the run is about; the first where it is not said. */
  home?: number;
};

/** Throws where a network's tokens lie outside of the position tables that SANE has learnt. */
export function checkPositions(layout: TokenLayout, shape: SaneShape, architecture: string): void {
  const problem = positionProblem(layout, shape);
  if (!problem) return;
  throw new Error(
    `${architecture} has ${problem}: set sane.positions to at least [${positionRows(layout).join(', ')}]`,
  );
}

/** The activation that the prompts were trained with. Throws where they differ in it: what is drawn among them has none then. */
function activationOf(prompts: readonly ZooModel[], dir: string): Activation {
  const [activation, ...others] = new Set(prompts.map(({ hyperparameters }) => hyperparameters.activation));
  if (others.length === 0) return activation as Activation;
  throw new Error(
    `zoo ${dir}: the prompts have different activations (${[activation, ...others].join(', ')}), and a sample among them would have none: take prompts from a zoo of one activation`,
  );
}

/** What bandwidths are multiples of. Throws where that is the spread of SANE's embeddings, and they have none. */
function unitOf({ bandwidth_unit }: Config, { embedding_spread: spread }: SaneZoo): number {
  if (bandwidth_unit === 'absolute') return 1;
  if (spread !== null) return spread;
  throw new Error(
    'SANE was pretrained on one model, whose embeddings have no spread to measure a bandwidth by: set generation.bandwidth_unit to absolute, or raise zoo.models',
  );
}

/**
 * The accuracies that prompts are ranked by. On training images those of the finished weights, or where the zoo does not say these of every
 * prompt, the running ones.
 */
export function accuraciesOf(
  checkpoints: readonly Checkpoint[],
  images: Config['prompt_accuracy'],
): number[] {
  if (images === 'test') return checkpoints.map(({ test_accuracy }) => test_accuracy);
  for (const name of ['train_accuracy', 'running_train_accuracy'] as const) {
    const values = checkpoints.map((checkpoint) => checkpoint[name]).filter((value) => value !== null);
    if (values.length === checkpoints.length) return values;
  }
  throw new Error(
    'the zoo has train_accuracy for some of the prompts and only running_train_accuracy for others, so that they cannot be ranked: give one of both for all, or set generation.prompt_accuracy to test',
  );
}

/** Throws where the networks of an imported zoo see images of other channels than their data set has as it was prepared here. */
function checkChannels({ dir, manifest }: Zoo, { name, shape }: ImageFormat): void {
  const [networks, images] = [manifest.options.input[2], shape[2]];
  if (manifest.dataset !== name || networks === images) return;
  throw new Error(
    `zoo ${dir}: the networks see images of ${networks} channels, those of ${name} have ${images} here: set data.grey to ${images === 3}, or name the images that the zoo was trained on`,
  );
}

/** What is measured on the first so many of the images. */
async function onFirstImages<T>(
  { images, labels }: LabelledImages,
  count: number,
  measure: (some: LabelledImages) => Promise<T>,
): Promise<T> {
  const length = Math.min(count, labels.size);
  const some = { images: tf.slice(images, 0, length), labels: tf.slice(labels, 0, length) };
  try {
    return await measure(some);
  } finally {
    tf.dispose([some.images, some.labels]);
  }
}

/** Loads everything, on the device. `dispose` gives it back. */
export async function prepareSampling({ inputs }: StageContext, config: Config) {
  const home = await openZoo(inputs.zoo as string);
  const zoo = inputs.prompts ? await openZoo(inputs.prompts) : home;
  const images = await loadImages(inputs.dataset as string);
  checkChannels(zoo, images.dataset);
  const data = prepareBoth(images);
  const { sane, description, standardizations } = await loadSane(inputs.sane as string);
  const { home: index = 0 } = config;
  const learnt = standardizations[index] as Standardization | null;
  const { shape, batch_norm_tokens } = description;
  const layout = tokenLayout(zoo.architecture, shape.token_size, batch_norm_tokens);
  checkPositions(layout, shape, zoo.architecture.name);

  const alignment = inputs.prompts ? inputs.prompt_alignment : inputs.alignment;
  // Of several zoos, each has its own epochs among those of SANE.
  const epochs = inputs.prompts
    ? zoo.manifest.epochs
    : description.epochs.filter((epoch) => zoo.manifest.epochs.includes(epoch));
  const epoch = config.prompt_epoch ?? (epochs.at(-1) as number);
  const { train, test: held } = await findSamples(zoo, [epoch], alignment);
  const trained = train
    .slice(0, config.prompt_count ?? undefined)
    .map((sample) => ({ ...sample, flat: readSample(zoo.architecture, sample) }));
  // Networks of another zoo have statistics of their own.
  const own = () =>
    fitStandardization(
      layout,
      trained.map(({ flat }) => flat),
    );
  const standardization = learnt && (inputs.prompts ? own() : learnt);
  const seen = tokensAtOnce(config.embedding, shape, layout);
  const embed = (flats: readonly Float32Array[]) => {
    const scaled = flats.map((flat) => (standardization ? standardize(layout, flat, standardization) : flat));
    return Array.fromAsync(embedModels(sane, layout, scaled, seen));
  };
  const embeddings = await embed(trained.map(({ flat }) => flat));
  const promptAccuracies = accuraciesOf(
    trained.map(({ checkpoint }) => checkpoint),
    config.prompt_accuracy,
  );
  const prompts = trained.map(
    ({ flat }, i): Prompt => ({
      weights: unflatten(zoo.architecture, flat),
      embedding: embeddings[i] as Float32Array,
      accuracy: promptAccuracies[i] as number,
    }),
  );

  const isHome = images.dataset.name === zoo.manifest.dataset;
  const { shape: input, classes } = images.dataset;
  const architecture = isHome
    ? withLayers(zoo.architecture, 'generation')
    : getArchitecture(zoo.architecture.name, { ...zoo.manifest.options, input, classes });
  // The manifest has what the models were trained with; the recipe of an imported zoo has what is said nowhere else.
  const activation = activationOf(
    trained.map(({ model }) => model),
    zoo.dir,
  );
  const network = { architecture, activation };
  /** Networks of the prompts' kind made into networks for the images, their batch-norm statistics refreshed. */
  const finish = (models: readonly StateDict[]) => {
    const heads = new Random(config.seed, 'generation', 'head');
    const moved = isHome ? models : models.map((model) => transplant(model, architecture, heads));
    const { conditioning_batches: batches, conditioning_batch_size: size } = config;
    const random = new Random(config.seed, 'generation', 'conditioning');
    return condition(network, moved, data.train.images, { batches, size }, random);
  };
  // What no token holds is the first prompt's, as the authors' released code takes it from one model for all.
  const rest = (trained[0] as (typeof trained)[number]).flat;
  const decode = async (drawn: readonly Float32Array[]) =>
    finish(
      await Array.fromAsync(decodeModels(sane, layout, drawn, { halo: config.halo, seen }), (flat) => {
        const weights = standardization ? destandardize(layout, flat, standardization) : flat;
        return unflatten(zoo.architecture, withUntokenized(layout, weights, rest));
      }),
    );
  const judges = images.validation ? prepare(images.validation, images) : data.train;
  const score = (models: readonly StateDict[]) => accuracies(network, models, judges);
  const unit = unitOf(config, description.zoos[index] as SaneZoo);
  const sampler: Sampler = { settings: config, unit, latent: shape.latent_dim, prompts, decode, score };
  const folder = inputs['hyper-representation'];
  // Its autoencoder saw the networks in the orders that training gave them.
  const asTrained = () =>
    prompts.map((prompt, i) => {
      const { file } = trained[i] as (typeof trained)[number];
      const flat = readSample(zoo.architecture, { file, permutations: new Map() });
      return { ...prompt, weights: unflatten(zoo.architecture, flat) };
    });
  const baseline = folder
    ? await baselineSampler(folder, zoo.architecture, { ...sampler, prompts: asTrained() }, finish)
    : undefined;
  const withoutAutoencoder: Baseline = {
    ...{ settings: config, architecture: zoo.architecture, finish, score },
    prompts: prompts.map(({ weights }) => weights),
  };
  const weightsOf = (sample: Sample) => unflatten(zoo.architecture, readSample(zoo.architecture, sample));
  /** What novelty is measured against; null where it is not. Networks for other images have no errors in common with training networks. */
  const novelty: Novelty | null =
    isHome && config.novelty_images > 0 && train.length > 1
      ? {
          ...{ architecture, matches: config.novelty_matches, seed: config.seed },
          training: train.map((sample, i) => prompts[i]?.weights ?? weightsOf(sample)),
          errorsOf: (models) =>
            onFirstImages(data.test, config.novelty_images, (some) => errorsOf(network, models, some)),
        }
      : null;
  return {
    // Few prompts are no population: networks from scratch have the budget of the samples then (Tables 5 and 15 to 17).
    hasScratch: isHome && !inputs.prompts,
    ...{ zoo, architecture, recipe: { ...config.recipe, activation }, data, prompts, finish },
    ...{ withoutAutoencoder, novelty },
    /** Test models of the prompts' zoo at their epoch: networks as new as training makes them. */
    heldOut: held.slice(0, config.samples).map(weightsOf),
    /** The zoo's test models, encoded and decoded. */
    reconstruct: async () => decode(await embed(held.map((sample) => readSample(zoo.architecture, sample)))),
    samplerOf: (method: Method) => (method === 'hyper-representation' ? (baseline as Sampler) : sampler),
    /** Accuracies on the test images, by the prompts' activation if no other is given. */
    test: (models: readonly StateDict[], own: Activation = activation) =>
      accuracies({ architecture, activation: own }, models, data.test),
    together: (models: readonly StateDict[]) => ensembleAccuracy(network, models, data.test),
    dispose: () => {
      sane.dispose();
      baseline?.dispose();
      tf.dispose([data.train, data.test, judges].flatMap((set) => Object.values(set)));
    },
  };
}
