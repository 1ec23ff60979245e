/** Task `property-prediction` to a plan. */
import type { PlannedRun } from '../../experiment/stage-plan.ts';
import type { Settings } from '../../experiment/types.ts';
import { checkCheckpoints, narrowCheckpoints } from '../checks.ts';
import { costOf, embeddings, operationsOfProbes, total, zoosAmong } from '../cost.ts';
import { allModelInputs, homeConfig, modelInputs } from '../models.ts';
import { sane } from '../sane/plan.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, populations, saneSettings } from '../work.ts';
import schema from './settings.json' with { type: 'json' };

const isOfSane = (feature: unknown) =>
  feature === 'sane' || feature === 'sane-sequence' || feature === 'untrained';

const usesSane = ({ property_prediction: { features } }: Settings) => features.some(isOfSane);

/** How weights become features where SANE has no part in it. */
const tokenSettings = ['token_size', 'batch_norm_tokens', 'standardization'] as const;

export const propertyPrediction: Stage<PlannedRun> = {
  name: 'property-prediction',
  description: 'predicts accuracy, epoch and generalisation gap of networks from features of their weights',
  version: 4,
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
      ...((feature === undefined ? usesSane(settings) : isOfSane(feature))
        ? ['sane']
        : ['alignment', ...tokenSettings].map((name) => `sane.${name}`)),
    ],
  },

  plan(run, planner) {
    const { architecture, dataset, seed, settings } = run;
    const { token_size, batch_norm_tokens, standardization } = settings.sane;
    return {
      label: `property-prediction ${architecture}/${dataset} seed ${seed}`,
      config: {
        ...settings.property_prediction,
        ...{ token_size, batch_norm_tokens, standardization },
        ...(usesSane(settings) && homeConfig(run, planner)),
        ...(settings.property_prediction.features.includes('untrained') && { seed }),
      },
      // Of several zoos the others matter where SANE embeds all of them.
      inputs: usesSane(settings)
        ? { ...allModelInputs(run, planner), sane: planner.key(sane, run) }
        : modelInputs(run, planner),
    };
  },

  work(config, input) {
    const zoo = input('zoo');
    const settings = [...pick(config, ['features', 'token_size']), ...pick(input('sane'), saneSettings)];
    return {
      settings: [...settings, ...pick(zoo, networkSettings)],
      amount: populations(input, config.checkpoints).samples,
    };
  },

  cost({ config, input }) {
    const [zoos, sane] = [zoosAmong(input), input('sane')?.config];
    const own = zoos[(config.home as number | undefined) ?? 0];
    const embedded = sane ? zoos.map((zoo) => embeddings(sane, zoo, config.checkpoints)) : [];
    return costOf(total([...embedded, own && operationsOfProbes(config, sane, own)]));
  },

  /** What predicts the epoch needs two of them. */
  narrow: (settings, given) =>
    given.has('property_prediction.checkpoints') ? {} : narrowCheckpoints('property_prediction', 2, settings),

  effective: ({ property_prediction: own, zoo }) => ({
    'property_prediction.checkpoints': own.checkpoints ?? zoo.checkpoints,
  }),

  check: ({ settings }) => checkCheckpoints('property_prediction', settings),
};
