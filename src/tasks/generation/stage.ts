/** Stage `generation` (section 5.2): samples networks, measures them, fine-tunes them, and measures again. */
import { join } from 'node:path';
import { loadImages } from '../../data/stage.ts';
import { Random } from '../../engine/random.ts';
import type { StageContext, StageImplementation } from '../../engine/stage.ts';
import { tf } from '../../engine/tf.ts';
import type { GenerationSettings } from '../../experiment/types.ts';
import type { StateDict } from '../../nets/architecture.ts';
import { initialWeights } from '../../nets/init.ts';
import { loadSane, writeJson } from '../../sane/checkpoint.ts';
import { decodeModels } from '../../sane/decode.ts';
import { embedModels } from '../../sane/embed.ts';
import { loadSamples, type Sample } from '../../sane/samples.ts';
import { destandardize, standardize } from '../../sane/standardize.ts';
import { tokenLayout, unflatten, withUntokenized } from '../../sane/tokenize.ts';
import type { ZooConfig } from '../../zoo/members.ts';
import { prepareBoth } from '../../zoo/train.ts';
import { openZoo, type Zoo } from '../../zoo/zoo.ts';
import type { MetricRecord, TaskResult } from '../result.ts';
import { finetune } from './finetune.ts';
import { type Method, type Prompt, sample } from './methods.ts';
import { accuracies, condition, ensembleAccuracy } from './networks.ts';

type Config = GenerationSettings & { seed: number; recipe: ZooConfig };

/** A network to be measured. */
interface Network {
  id: string;
  method: Method;
  weights: StateDict;
}

/** After an epoch of fine-tuning. */
interface Measured extends Network {
  epoch: number;
  accuracy: number;
}

const record = (method: Method, epoch: number, id: string, value: number, seeded = true): MetricRecord => ({
  metric: 'accuracy',
  labels: { split: 'test', method, epoch },
  value,
  seeded,
  sample: id,
});

/** The zoo's test models as they were trained from scratch: what the manifest says, and before training, their initialisation. */
async function scratch(
  zoo: Zoo,
  epochs: readonly number[],
  score: (models: readonly StateDict[]) => Promise<number[]>,
): Promise<MetricRecord[]> {
  const models = zoo.manifest.models.filter(({ split }) => split === 'test');
  const records = models.flatMap(({ id, checkpoints }) =>
    checkpoints
      .filter(({ epoch }) => epoch > 0 && epochs.includes(epoch))
      .map(({ epoch, test_accuracy }) => record('scratch', epoch, id, test_accuracy, false)),
  );
  if (!epochs.includes(0)) return records;
  const untrained = await score(
    models.map(({ seed, hyperparameters }) => initialWeights(zoo.architecture, hyperparameters.init, seed)),
  );
  return [...records, ...models.map(({ id }, i) => record('scratch', 0, id, untrained[i] as number, false))];
}

/** Everything that the methods need, on the device. */
async function prepareSampling({ inputs }: StageContext, config: Config) {
  const zoo = await openZoo(inputs.zoo as string);
  const images = await loadImages(inputs.dataset as string);
  const data = prepareBoth(images);
  const { sane, description, standardization } = await loadSane(inputs.sane as string);
  const layout = tokenLayout(zoo.architecture, description.shape.token_size, description.batch_norm_tokens);
  const network = { architecture: zoo.architecture, activation: config.recipe.activation };
  const score = (models: readonly StateDict[]) => accuracies(network, models, data.train);
  const test = (models: readonly StateDict[]) => accuracies(network, models, data.test);
  const together = (models: readonly StateDict[]) => ensembleAccuracy(network, models, data.test);

  const epoch = config.prompt_epoch ?? (description.epochs.at(-1) as number);
  const trained = (await loadSamples(zoo, [epoch])).train.slice(0, config.prompt_count ?? undefined);
  const flats = trained.map(({ flat }) =>
    standardization ? standardize(layout, flat, standardization) : flat,
  );
  const embeddings = [...embedModels(sane, layout, flats)];
  // What no token holds is the first prompt's, as the authors' released code takes it from one model for all.
  const rest = (trained[0] as Sample).flat;
  const decode = async (embeddings: readonly Float32Array[]) => {
    const models = Array.from(decodeModels(sane, layout, embeddings, config), (flat) => {
      const weights = standardization ? destandardize(layout, flat, standardization) : flat;
      return unflatten(zoo.architecture, withUntokenized(layout, weights, rest));
    });
    const random = new Random(config.seed, 'generation', 'conditioning');
    const { conditioning: batches, conditioning_batch: size } = config;
    return condition(network, models, data.train.images, { batches, size }, random);
  };
  const prompts = trained.map(
    ({ checkpoint, flat }, i): Prompt => ({
      weights: unflatten(zoo.architecture, flat),
      embedding: embeddings[i] as Float32Array,
      accuracy: checkpoint.train_accuracy,
    }),
  );
  const dispose = () => {
    sane.dispose();
    tf.dispose([...Object.values(data.train), ...Object.values(data.test)]);
  };
  return { zoo, data, latent: description.shape.latent_dim, prompts, decode, score, test, together, dispose };
}

export const generationStage: StageImplementation = {
  usesDevice: true,

  async execute(context) {
    const config = context.config as unknown as Config;
    const { zoo, data, latent, prompts, decode, score, test, together, dispose } = await prepareSampling(
      context,
      config,
    );
    const records: MetricRecord[] = [];
    const networks: Network[] = [];
    for (const method of config.methods) {
      if (method === 'scratch') {
        records.push(...(await scratch(zoo, config.epochs, test)));
        continue;
      }
      const models =
        method === 'finetuned'
          ? prompts.slice(0, config.samples).map(({ weights }) => weights)
          : await sample(method, { settings: config, latent, prompts, decode, score });
      networks.push(...models.map((weights, i) => ({ id: `${method} ${i}`, method, weights })));
      context.report({
        done: networks.length,
        total: config.methods.length * config.samples,
        unit: 'samples',
      });
    }
    const measured: Measured[] = [];
    if (config.epochs.includes(0)) {
      const accuracy = await test(networks.map(({ weights }) => weights));
      measured.push(...networks.map((one, i) => ({ ...one, epoch: 0, accuracy: accuracy[i] as number })));
    }
    const later = config.epochs.filter((epoch) => epoch > 0).sort((a, b) => a - b);
    if (later.length > 0 && networks.length > 0) {
      const { recipe, seed } = config;
      const { dir, report } = context;
      const settings = { architecture: zoo.architecture, recipe, epochs: later, data, seed, dir, report };
      const trained = await finetune(networks, settings);
      for (const [i, { id, method }] of networks.entries()) {
        for (const { epoch, test_accuracy: accuracy, weights } of trained[i]?.checkpoints ?? []) {
          measured.push({ id, method, weights, epoch, accuracy });
        }
      }
    }
    records.push(...measured.map(({ method, epoch, id, accuracy }) => record(method, epoch, id, accuracy)));
    for (const of of Map.groupBy(measured, ({ method, epoch }) => `${method} ${epoch}`).values()) {
      const { method, epoch } = of[0] as Measured;
      const value = await together(of.map(({ weights }) => weights));
      const labels = { split: 'test', method, epoch };
      records.push({ metric: 'ensemble-accuracy', labels, value, seeded: true });
    }
    dispose();
    await writeJson(join(context.dir, 'result.json'), { records } satisfies TaskResult);
  },
};
