/** Stage `property-prediction` (section 5.1): ridge probes from embeddings to properties of the models, beside those of the baselines. */
import { join } from 'node:path';
import { writeJson } from '../../base/files.ts';
import type { PropertyPredictionSettings } from '../../experiment/types.ts';
import { loadSane } from '../../sane/checkpoint.ts';
import { tokenLayout } from '../../sane/tokenize.ts';
import { findSamples, readStandardized, type Samples, standardizedSets } from '../../sane/zoo-samples.ts';
import type { Split } from '../../zoo/members.ts';
import type { Zoo } from '../../zoo/zoo.ts';
import { readProbes } from '../baseline-probes/probes.ts';
import { openZoos } from '../open-zoos.ts';
import type { Predictions, TaskResult } from '../result.ts';
import type { StageContext, StageImplementation } from '../stage.ts';
import { type FeatureName, type Features, saneFeatures, untrainedFeatures } from './features.ts';
import { rowsOf } from './gram.ts';
import { type JointTargets, jointRecords } from './joint.ts';
import { principalComponents } from './principal.ts';
import { describeProbes, type ProbeRecords, testedOf } from './records.ts';
import { type Target, type TargetSettings, targetOf, targetsOf } from './targets.ts';

/** With features of baselines only, nothing but these. */
interface Config extends TargetSettings {
  features: FeatureName[];
  checkpoints: number[] | null;
  ridge_strengths: number[];
  embedding: PropertyPredictionSettings['embedding'];
  /** Which of the zoos the run is about; the first where it is not said. */
  home?: number;
  /** Of the run, from which an untrained encoder is initialised. */
  seed?: number;
}

type Pretrained = Awaited<ReturnType<typeof loadSane>>;

/** One of the run's zoos, read. */
interface ReadZoo {
  zoo: Zoo;
  samples: Samples;
  /** Its place among SANE's zoos. */
  index: number;
}

/** The embeddings of a zoo's models that are wanted. */
async function embed(
  { zoo: { architecture }, samples, index }: ReadZoo,
  { sane, description, standardizations }: Pretrained,
  wanted: ReadonlySet<FeatureName>,
  { embedding, seed = 0 }: Config,
): Promise<Map<FeatureName, Features>> {
  const layout = tokenLayout(architecture, description.shape.token_size, description.batch_norm_tokens);
  const sets = standardizedSets(
    ...([description.standardization, architecture, layout, samples, ['train', 'val', 'test']] as const),
    { fitted: standardizations[index] ?? undefined },
  );
  const networks = (split: Split) => readStandardized(architecture, layout, sets[split]);
  const features = await saneFeatures(sane, layout, networks, wanted, embedding);
  if (wanted.has('untrained'))
    features.set('untrained', await untrainedFeatures(description.shape, seed, layout, networks, embedding));
  return features;
}

/** The means of SANE's embeddings of all zoos' models, which are as long whatever the architecture. Of the run's own they are there already. */
async function jointFeatures(
  zoos: readonly ReadZoo[],
  own: { index: number; features: Features },
  pretrained: Pretrained,
  config: Config,
): Promise<Features[]> {
  const all: Features[] = [];
  for (const one of zoos) {
    const others = async () =>
      (await embed(one, pretrained, new Set(['sane']), config)).get('sane') as Features;
    all.push(one.index === own.index ? own.features : await others());
  }
  return all;
}

/** What the probes of SANE's embeddings give; the components and records of all zoos where these are asked for. */
async function predictBySane({ inputs, dir, report }: StageContext, config: Config) {
  const { home = 0, ridge_strengths: strengths } = config;
  const zoos: ReadZoo[] = [];
  for (const [index, { zoo, alignment }] of (await openZoos(inputs)).entries())
    zoos.push({ zoo, samples: await findSamples(zoo, config.checkpoints, alignment), index });
  const own = zoos[home] as ReadZoo;
  const targets = targetsOf(own.samples, config);
  const pretrained = await loadSane(inputs.sane as string);
  const features = await embed(own, pretrained, new Set(config.features), config);
  const embedded = features.get('sane');
  const joint = zoos.length > 1 && embedded;
  const rows = joint && (await jointFeatures(zoos, { index: home, features: embedded }, pretrained, config));
  pretrained.sane.dispose();

  const described = new Map<string, Omit<ProbeRecords, 'tested'>>();
  for (const [feature, { train, val, test }] of features) {
    const all = { train: rowsOf(train), val: rowsOf(val), test: rowsOf(test) };
    described.set(feature, describeProbes(feature, all, targets, { strengths, seeded: true }, report));
  }
  if (embedded) await writeJson(join(dir, 'components.json'), principalComponents(embedded.test, 2));
  const valuesOf = (target: Target): JointTargets =>
    zoos.map(
      ({ samples }) =>
        (split) =>
          Float64Array.from(samples[split], (sample) => targetOf(sample, target, config.gap)),
    );
  const jointTargets = new Map(config.targets.map((target) => [target, valuesOf(target)]));
  return {
    tested: testedOf(own.samples),
    described,
    joint: rows ? jointRecords(rows, jointTargets, strengths) : [],
  };
}

export const propertyPredictionStage: StageImplementation = {
  async execute(context) {
    const config = context.config as unknown as Config;
    const { inputs, dir } = context;
    const bySane = inputs.sane === undefined ? undefined : await predictBySane(context, config);
    let tested = bySane?.tested;
    const found: Omit<ProbeRecords, 'tested'>[] = [];
    for (const feature of config.features) {
      const described = bySane?.described.get(feature);
      const probes = described ? undefined : await readProbes(inputs[feature] as string);
      // All are of the same zoo and checkpoints.
      tested ??= probes?.tested;
      found.push((described ?? probes) as Omit<ProbeRecords, 'tested'>);
    }
    const predictions = found.flatMap((of) => of.predictions);
    const records = [...found.flatMap((of) => of.records), ...(bySane?.joint ?? [])];
    await writeJson(join(dir, 'predictions.json'), { tested, predictions } as Predictions);
    await writeJson(join(dir, 'result.json'), { records } satisfies TaskResult);
  },
};
