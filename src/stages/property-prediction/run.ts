/** Stage `property-prediction` (section 5.1): ridge probes from features of the weights to properties of the models. */
import { join } from 'node:path';
import { writeJson } from '../../base/files.ts';
import type { PropertyPredictionSettings, SaneSettings } from '../../experiment/types.ts';
import { loadSane } from '../../sane/checkpoint.ts';
import type { Standardization } from '../../sane/standardize.ts';
import { tokenLayout } from '../../sane/tokenize.ts';
import {
  findSamples,
  readStandardized,
  type Sample,
  type Samples,
  standardizedSets,
} from '../../sane/zoo-samples.ts';
import type { Split } from '../../zoo/members.ts';
import type { Zoo } from '../../zoo/zoo.ts';
import { openZoos } from '../open-zoos.ts';
import type { MetricRecord, TaskResult } from '../result.ts';
import type { StageImplementation } from '../stage.ts';
import {
  type FeatureName,
  type Features,
  type Networks,
  saneFeatures,
  statisticsFeatures,
  untrainedFeatures,
  weightFeatures,
} from './features.ts';
import { type JointTargets, jointRecords } from './joint.ts';
import { principalComponents } from './principal.ts';
import { probe } from './probe.ts';
import { ridge } from './ridge.ts';

type Config = PropertyPredictionSettings &
  Pick<SaneSettings, 'token_size' | 'batch_norm_tokens' | 'standardization'> & {
    /** Which of the zoos the run is about; the first where it is not said. */
    home?: number;
    /** Of the run, where an untrained encoder is initialised from it. */
    seed?: number;
  };
type Target = PropertyPredictionSettings['targets'][number];

/**
 * The training accuracy that the generalisation gap is taken from. Running: that of the epoch while the weights moved, as the authors'
 * zoos log it; at epoch 0, in which nothing is trained, theirs is the evaluated one, and so it is here. Throws where the zoo does not
 * say the one asked for: the other would be another target.
 */
function trainAccuracyOf({ model, checkpoint }: Sample, gap: Config['gap']): number {
  const evaluated = gap === 'evaluated' || checkpoint.epoch === 0;
  const accuracy = evaluated ? checkpoint.train_accuracy : checkpoint.running_train_accuracy;
  if (accuracy !== null) return accuracy;
  const missing = evaluated ? 'train_accuracy' : 'running_train_accuracy';
  const other = gap === 'evaluated' ? 'running' : 'evaluated';
  throw new Error(
    `${model.id} has no ${missing} at epoch ${checkpoint.epoch}, which ggap needs: set property_prediction.gap to ${other}, take ggap out of property_prediction.targets, or train or import the zoo again with that number`,
  );
}

/** The number to be predicted. The generalisation gap is training accuracy less test accuracy. */
function targetOf(sample: Sample, target: Target, gap: Config['gap']): number {
  const { checkpoint } = sample;
  switch (target) {
    case 'test-accuracy':
      return checkpoint.test_accuracy;
    case 'epoch':
      return checkpoint.epoch;
    case 'ggap':
      return trainAccuracyOf(sample, gap) - checkpoint.test_accuracy;
  }
}

/** The targets of a split. Throws if they are all the same, because R² has no meaning then. */
function targetsOf(samples: Samples, split: Split, target: Target, gap: Config['gap']): Float64Array {
  const values = Float64Array.from(samples[split], (sample) => targetOf(sample, target, gap));
  if (values.every((value) => value === values[0])) {
    throw new Error(
      `${target} is ${values[0]} in every ${split} checkpoint, so R² is undefined: use more models or epochs, or take ${target} out of property_prediction.targets`,
    );
  }
  return values;
}

type Pretrained = Awaited<ReturnType<typeof loadSane>>;

/** One of the run's zoos, read. */
interface ReadZoo {
  zoo: Zoo;
  samples: Samples;
  /** Its place among SANE's zoos. */
  index: number;
}

/** The features of a zoo's models that are wanted; those of SANE need its artefact. */
async function computeFeatures(
  { zoo: { architecture }, samples, index }: ReadZoo,
  config: Config,
  wanted: ReadonlySet<FeatureName>,
  pretrained: Pretrained | undefined,
): Promise<Map<FeatureName, Features>> {
  const layout = tokenLayout(architecture, config.token_size, config.batch_norm_tokens);
  const standardized = (mode: SaneSettings['standardization'], fitted?: Standardization): Networks => {
    const sets = standardizedSets(mode, architecture, layout, samples, ['train', 'val', 'test'], { fitted });
    return (split) => readStandardized(architecture, layout, sets[split]);
  };
  const features = new Map<FeatureName, Features>();
  if (wanted.has('weights') || wanted.has('statistics')) {
    const networks = standardized(config.standardization);
    if (wanted.has('weights')) features.set('weights', weightFeatures(layout, networks));
    if (wanted.has('statistics')) {
      features.set('statistics', statisticsFeatures(layout, networks, config.padding_in_statistics));
    }
  }
  if (pretrained) {
    const { sane, description, standardizations } = pretrained;
    const networks = standardized(description.standardization, standardizations[index] ?? undefined);
    const embedded = await saneFeatures(sane, layout, networks, wanted);
    for (const [name, rows] of embedded) features.set(name, rows);
    if (wanted.has('untrained')) {
      const { seed = 0 } = config;
      features.set('untrained', await untrainedFeatures(description.shape, seed, layout, networks));
    }
  }
  return features;
}

/** The means of SANE's embeddings of all zoos' models, which are as long whatever the architecture. Of the run's own they are there already. */
async function jointFeatures(
  zoos: readonly ReadZoo[],
  own: { index: number; features: Features },
  config: Config,
  pretrained: Pretrained,
): Promise<Features[]> {
  const all: Features[] = [];
  for (const one of zoos) {
    const others = async () =>
      (await computeFeatures(one, config, new Set(['sane'] as const), pretrained)).get('sane') as Features;
    all.push(one.index === own.index ? own.features : await others());
  }
  return all;
}

export const propertyPredictionStage: StageImplementation = {
  async execute(context) {
    const config = context.config as unknown as Config;
    const { home = 0 } = config;
    const zoos: ReadZoo[] = [];
    for (const [index, { zoo, alignment }] of (await openZoos(context.inputs)).entries())
      zoos.push({ zoo, samples: await findSamples(zoo, config.checkpoints, alignment), index });
    const own = zoos[home] as ReadZoo;
    const { samples } = own;
    const targets = config.targets.map((name) => {
      const of = (split: Split) => targetsOf(samples, split, name, config.gap);
      return { name, train: of('train'), val: of('val'), test: of('test') };
    });
    const pretrained = context.inputs.sane ? await loadSane(context.inputs.sane) : undefined;
    const features = await computeFeatures(own, config, new Set(config.features), pretrained);

    const records: MetricRecord[] = [];
    const predictions: { feature: string; target: string; values: number[] }[] = [];
    const total = features.size * config.targets.length;
    for (const [feature, rows] of features) {
      const fit = ridge(rows.train);
      for (const { name: target, ...values } of targets) {
        const split = (name: Split) => ({ features: rows[name], targets: values[name] });
        const result = probe(
          { train: split('train'), val: split('val'), test: split('test') },
          config.ridge_strengths,
          fit,
        );
        const seeded = feature !== 'weights' && feature !== 'statistics';
        for (const metric of ['r2', 'tau'] as const) {
          for (const [split, value] of Object.entries(result[metric]))
            records.push({ metric, labels: { feature, target, split }, value, seeded });
        }
        predictions.push({ feature, target, values: [...result.testPredictions] });
        context.report({
          done: predictions.length,
          total,
          unit: 'probes',
          metric: { name: `test R² of ${feature} for ${target}`, value: result.r2.test },
        });
      }
    }
    const embedded = features.get('sane');
    if (pretrained && embedded && zoos.length > 1) {
      const rows = await jointFeatures(zoos, { index: home, features: embedded }, config, pretrained);
      const valuesOf = (target: Target): JointTargets =>
        zoos.map(
          ({ samples }) =>
            (split) =>
              Float64Array.from(samples[split], (sample) => targetOf(sample, target, config.gap)),
        );
      const joint = new Map(config.targets.map((target) => [target, valuesOf(target)]));
      records.push(...jointRecords(rows, joint, config.ridge_strengths));
    }
    pretrained?.sane.dispose();
    const tested = samples.test.map(({ model, checkpoint }) => ({ model: model.id, ...checkpoint }));
    await writeJson(join(context.dir, 'predictions.json'), { tested, predictions });
    if (embedded)
      await writeJson(join(context.dir, 'components.json'), principalComponents(embedded.test, 2));
    await writeJson(join(context.dir, 'result.json'), { records } satisfies TaskResult);
  },
};
