/** Task `property-prediction` to a plan. */
import { SharedBy } from '../../base/shared.ts';
import type { PlannedRun, Planner } from '../../experiment/stage-plan.ts';
import type { Settings } from '../../experiment/types.ts';
import {
  baselineOf,
  baselineProbes,
  isBaseline,
  probeConfig,
  settingsOfBaseline,
} from '../baseline-probes/plan.ts';
import { checkCheckpoints, narrowCheckpoints } from '../checks.ts';
import { costOf, embeddings, operationsOfProbes, total, zoosAmong } from '../cost.ts';
import { allModelInputs, homeConfig } from '../models.ts';
import { sane } from '../sane/plan.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, populations, saneSettings } from '../work.ts';
import { modelsOf } from '../zoos.ts';
import schema from './settings.json' with { type: 'json' };

type FeatureName = Settings['property_prediction']['features'][number];

const usesSane = ({ property_prediction: { features } }: Settings) => !features.every(isBaseline);

/** What an encoder that was only initialised has of SANE: its sizes, and how it reads weights. */
const ofUntrained = [
  ...['alignment', 'alignment_orders', 'token_size', 'batch_norm_tokens', 'standardization', 'window'],
  ...['positions', 'd_model', 'latent_dim', 'layers', 'heads'],
].map((name) => `sane.${name}`);

/** Settings of SANE that the numbers of a feature depend on; all of the block for its own features. */
function settingsOf(feature: FeatureName, settings: Settings): string[] {
  if (feature === 'untrained') return ofUntrained;
  if (!isBaseline(feature)) return ['sane'];
  const read = settingsOfBaseline(feature, settings);
  return [...(feature === 'weights' ? ['alignment', 'alignment_orders'] : []), ...read].map(
    (name) => `sane.${name}`,
  );
}

const shared = new SharedBy<object>();

/** All of the config but the seed: the same object for all runs that have the same. */
function configOf(run: PlannedRun, planner: Planner): object {
  const { settings } = run;
  const { property_prediction: own } = settings;
  return shared.get(own, modelsOf(run), '', () => ({
    features: own.features,
    ...(usesSane(settings) && {
      ...probeConfig(own),
      embedding: own.embedding,
      ...homeConfig(run, planner),
    }),
  }));
}

export const propertyPrediction: Stage<PlannedRun> = {
  name: 'property-prediction',
  description: 'predicts accuracy, epoch and generalisation gap of networks from features of their weights',
  version: 5,
  usesDevice: true,
  load: async () => (await import('./run.ts')).propertyPredictionStage,
  settings: {
    block: 'property_prediction',
    schema,
    // Which numbers are asked for.
    immaterial: ['features', 'targets'],
    renamed: { epochs_used: 'checkpoints' },
  },
  task: {
    tables: [1, 2, 9, 10, 11, 12],
    measures: {
      r2: ['feature', 'target', 'split'],
      tau: ['feature', 'target', 'split'],
      'joint-r2': ['feature', 'target', 'split', 'zoo'],
    },
    dependsOn: (settings, { feature } = {}) => [
      ...['data', 'zoo', 'property_prediction'],
      ...(feature === undefined ? settings.property_prediction.features : [feature as FeatureName]).flatMap(
        (one) => settingsOf(one, settings),
      ),
    ],
  },

  plan(run, planner) {
    const { architecture, dataset, seed, settings } = run;
    const { features } = settings.property_prediction;
    const baselines: Record<string, string> = {};
    for (const feature of features)
      if (isBaseline(feature)) baselines[feature] = planner.key(baselineProbes, baselineOf(feature, run));
    return {
      label: `property-prediction ${architecture}/${dataset} seed ${seed}`,
      config: configOf(run, planner),
      seed: features.includes('untrained') ? seed : undefined,
      // Of several zoos the others matter where SANE embeds all of them.
      inputs: usesSane(settings)
        ? Object.assign(allModelInputs(run, planner), { sane: planner.key(sane, run) }, baselines)
        : baselines,
    };
  },

  work(config, input) {
    const zoo = input('zoo');
    const settings = [
      ...pick(config, ['features']),
      ...pick(input('sane'), saneSettings),
      ...pick(zoo, networkSettings),
    ];
    // Without SANE, it puts together what others computed.
    return { settings, amount: 'models' in zoo ? populations(input, config.checkpoints).samples : 1 };
  },

  cost({ config, input }) {
    const [zoos, sane] = [zoosAmong(input), input('sane')?.config];
    const own = zoos[(config.home as number | undefined) ?? 0];
    if (!sane || !own) return costOf(0);
    const features = (config.features as FeatureName[]).filter((feature) => !isBaseline(feature));
    const parts = zoos.map((zoo) => embeddings(sane, zoo, config.checkpoints, 'all', config.embedding));
    parts.push(operationsOfProbes(features, config, sane, own));
    return costOf(total(parts));
  },

  /** What predicts the epoch needs two of them. */
  narrow: (settings, given) =>
    given.has('property_prediction.checkpoints') ? {} : narrowCheckpoints('property_prediction', 2, settings),

  effective: ({ property_prediction: own, zoo }) => ({
    'property_prediction.checkpoints': own.checkpoints ?? zoo.checkpoints,
  }),

  check: ({ settings }) => checkCheckpoints('property_prediction', settings),
};
