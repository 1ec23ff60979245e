/** Stage `baseline-probes` to a plan: probes of networks by what no SANE has a part in, which runs of all seeds and all SANEs share. */
import type { Models, Planner } from '../../experiment/stage-plan.ts';
import type { PropertyPredictionSettings, Settings } from '../../experiment/types.ts';
import { costOf, operationsOfProbes } from '../cost.ts';
import { keyOfZoo, modelInputs } from '../models.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, population } from '../work.ts';
import { withoutRun } from '../zoos.ts';

type FeatureName = PropertyPredictionSettings['features'][number];
export type BaselineFeature = Extract<FeatureName, 'weights' | 'statistics'>;

export const isBaseline = (feature: FeatureName): feature is BaselineFeature =>
  feature === 'weights' || feature === 'statistics';

/** What the probes of any feature depend on, as part of a config. */
export function probeConfig({ checkpoints, targets, gap, ridge_strengths }: PropertyPredictionSettings) {
  return { checkpoints, targets, ridge_strengths, ...(targets.includes('ggap') && { gap }) };
}

/** Settings of SANE that a baseline depends on, beside its alignment. How weights are cut matters where padding is counted. */
export function settingsOfBaseline(
  feature: BaselineFeature,
  { property_prediction: { padding_in_statistics } }: Settings,
): ('token_size' | 'batch_norm_tokens' | 'standardization')[] {
  const own = ['batch_norm_tokens', 'standardization'] as const;
  return feature === 'statistics' && padding_in_statistics ? ['token_size', ...own] : [...own];
}

export interface Baseline {
  feature: BaselineFeature;
  models: Models;
}

const known = { weights: new WeakMap<Models, Baseline>(), statistics: new WeakMap<Models, Baseline>() };

/** The same object for all runs that differ by seed only, as `withoutRun`. */
export function baselineOf(feature: BaselineFeature, run: Models): Baseline {
  const models = withoutRun(run);
  const baseline = known[feature].get(models) ?? { feature, models };
  known[feature].set(models, baseline);
  return baseline;
}

export const baselineProbes: Stage<Baseline> = {
  name: 'baseline-probes',
  description: 'predicts properties of networks from their weights, or from statistics of these',
  version: 1,
  usesDevice: false,
  load: async () => (await import('./run.ts')).baselineProbesStage,

  plan({ feature, models }, planner) {
    const { architecture, dataset, settings } = models;
    const padded = feature === 'statistics' && {
      padding: settings.property_prediction.padding_in_statistics,
    };
    const read = settingsOfBaseline(feature, settings).map((name) => [name, settings.sane[name]]);
    return {
      label: `baseline-probes ${feature} ${architecture}/${dataset}`,
      config: {
        ...{ feature, ...probeConfig(settings.property_prediction), ...padded },
        ...Object.fromEntries(read),
      },
      inputs: inputsOf(feature, models, planner),
    };
  },

  work: (config, input) => ({
    settings: [...pick(config, ['feature']), ...pick(input('zoo'), networkSettings)],
    amount: population(input('zoo'), config.checkpoints).samples,
  }),

  cost({ config, input }) {
    const zoo = input('zoo');
    return costOf(zoo && operationsOfProbes([config.feature as string], config, undefined, zoo));
  },
};

/** The order of hidden units does not change statistics of layers. */
function inputsOf(feature: BaselineFeature, models: Models, planner: Planner): Record<string, string> {
  return feature === 'weights' ? modelInputs(models, planner) : { zoo: keyOfZoo(models, planner) };
}
