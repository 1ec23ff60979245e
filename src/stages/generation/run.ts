/** Stage `generation` (section 5.2): samples networks, measures them, fine-tunes them, and measures again. */
import { join } from 'node:path';
import { writeJson } from '../../base/files.ts';
import type { Report } from '../../base/progress.ts';
import { Random } from '../../base/random.ts';
import type { Activation, Architecture, StateDict } from '../../nets/architecture.ts';
import { initialWeights } from '../../nets/init.ts';
import { withLayers } from '../../nets/registry.ts';
import { type FlowSettings, networksByFlow } from '../../sane/flow/networks.ts';
import type { ZooConfig } from '../../zoo/members.ts';
import type { Zoo } from '../../zoo/zoo.ts';
import type { MetricRecord, TaskResult } from '../result.ts';
import type { StageImplementation } from '../stage.ts';
import { isBaseline, sampleBaseline } from './baselines.ts';
import { finetune } from './finetune.ts';
import { type Method, sample } from './methods.ts';
import { noveltyRecords } from './novelty.ts';
import { type Config, prepareSampling } from './prepare.ts';

/** A network to be measured. */
interface Network {
  id: string;
  method: Method;
  weights: StateDict;
  /** Its place among the prompts where it is one of them. */
  prompt?: number | undefined;
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

/**
 * The zoo's test models as they were trained from scratch: what the manifest says of every checkpoint, whatever the budget of
 * fine-tuning is (Tables 3 and 4), and where epoch 0 is asked for, their initialisation.
 */
async function zooScratch(
  zoo: Zoo,
  epochs: readonly number[],
  score: (models: readonly StateDict[], activation: Activation) => Promise<number[]>,
): Promise<MetricRecord[]> {
  const models = zoo.manifest.models.filter(({ split }) => split === 'test');
  const records = models.flatMap(({ id, checkpoints }) =>
    checkpoints
      .filter(({ epoch }) => epoch > 0)
      .map(({ epoch, test_accuracy }) => record('scratch', epoch, id, test_accuracy, false)),
  );
  if (!epochs.includes(0)) return records;
  for (const [activation, alike] of Map.groupBy(models, (model) => model.hyperparameters.activation)) {
    const untrained = alike.map(({ seed, hyperparameters }) =>
      initialWeights(withLayers(zoo.architecture, 'generation'), hyperparameters.init, seed),
    );
    const scores = await score(untrained, activation);
    records.push(...alike.map(({ id }, i) => record('scratch', 0, id, scores[i] as number, false)));
  }
  return records;
}

/** Fresh networks, where no zoo was trained from scratch on the images. */
function initialNetworks(
  architecture: Architecture,
  init: ZooConfig['init'],
  { samples, seed }: Config,
): StateDict[] {
  return Array.from({ length: samples }, (_, i) =>
    initialWeights(architecture, init, new Random(seed, 'generation', 'scratch', i).bits()),
  );
}

/** The networks that a method makes, before any training. */
async function networksOf(
  method: Method,
  {
    zoo,
    architecture,
    recipe,
    prompts,
    heldOut,
    finish,
    reconstruct,
    withoutAutoencoder,
    samplerOf,
  }: Awaited<ReturnType<typeof prepareSampling>>,
  config: Config,
  report: Report,
): Promise<Pick<Network, 'weights' | 'prompt'>[]> {
  if (method === 'finetuned') {
    const first = await finish(prompts.slice(0, config.samples).map(({ weights }) => weights));
    return first.map((weights, prompt) => ({ weights, prompt }));
  }
  if (method === 'reconstruction') return (await reconstruct()).map((weights) => ({ weights }));
  if (method === 'held-out') return (await finish(heldOut)).map((weights) => ({ weights }));
  if (method === 'flow') {
    const weights = prompts.map((prompt) => prompt.weights);
    const { samples, seed, flow } = config;
    const drawn = await networksByFlow(
      zoo.architecture,
      weights,
      samples,
      { ...(flow as FlowSettings), seed },
      report,
    );
    return (await finish(drawn)).map((weights) => ({ weights }));
  }
  if (isBaseline(method)) return sampleBaseline(method, withoutAutoencoder);
  const models =
    method === 'scratch'
      ? initialNetworks(architecture, recipe.init, config)
      : await sample(method, samplerOf(method));
  return models.map((weights) => ({ weights }));
}

export const generationStage: StageImplementation = {
  async execute(context) {
    const config = context.config as unknown as Config;
    const sampling = await prepareSampling(context, config);
    const { zoo, hasScratch, architecture, recipe, data, novelty, test, together } = sampling;
    const records: MetricRecord[] = [];
    const networks: Network[] = [];
    const reportDone = (done: number) =>
      context.report({ done, total: config.methods.length * config.samples, unit: 'samples' });
    reportDone(0);
    for (const method of config.methods) {
      if (method === 'scratch' && hasScratch) {
        records.push(...(await zooScratch(zoo, config.epochs, test)));
        continue;
      }
      const found = await networksOf(method, sampling, config, context.report);
      // Prompts keep their place, which is the same in runs of all seeds.
      networks.push(...found.map((one, i) => ({ id: `${method} ${one.prompt ?? i}`, method, ...one })));
      reportDone(networks.length);
    }
    const measured: Measured[] = [];
    if (config.epochs.includes(0)) {
      const accuracy = await test(networks.map(({ weights }) => weights));
      measured.push(...networks.map((one, i) => ({ ...one, epoch: 0, accuracy: accuracy[i] as number })));
    }
    if (novelty && networks.length > 0) {
      const judged = networks.map(({ prompt: own, ...one }) => ({ ...one, own }));
      records.push(...(await noveltyRecords(judged, novelty)));
    }
    const later = config.epochs.filter((epoch) => epoch > 0).sort((a, b) => a - b);
    if (later.length > 0 && networks.length > 0) {
      const { seed, models_at_once } = config;
      const { dir, report } = context;
      const settings = { architecture, recipe, models_at_once, epochs: later, data, seed, dir, report };
      const trained = await finetune(networks, settings);
      for (const [i, { id, method }] of networks.entries()) {
        for (const { epoch, test_accuracy: accuracy, weights } of trained[i] ?? []) {
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
    sampling.dispose();
    await writeJson(join(context.dir, 'result.json'), { records } satisfies TaskResult);
  },
};
