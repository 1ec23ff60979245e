/** Stage `baseline-probes` to a plan: probes of networks by what no SANE has a part in, which runs of all seeds and all SANEs share. */
import { SharedBy } from '../../base/shared.ts';
import type { Models, PlannedRun, Planner } from '../../experiment/stage-plan.ts';
import type { PropertyPredictionSettings, SaneSettings } from '../../experiment/types.ts';
import { costOf, operationsOfProbes } from '../cost.ts';
import { keyOfZoo, modelInputs } from '../models.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, population } from '../work.ts';
import { modelsOf } from '../zoos.ts';

type FeatureName = PropertyPredictionSettings['features'][number];
export type BaselineFeature = Extract<FeatureName, 'weights' | 'statistics'>;

export const isBaseline = (feature: FeatureName): feature is BaselineFeature =>
  feature === 'weights' || feature === 'statistics';

/** What the probes of any feature depend on, as part of a config. */
export function probeConfig({ checkpoints, targets, gap, ridge_strengths }: PropertyPredictionSettings) {
  return { checkpoints, targets, ridge_strengths, ...(targets.includes('ggap') && { gap }) };
}

interface BaselineSettings {
  property_prediction: PropertyPredictionSettings;
  sane: Pick<SaneSettings, 'token_size' | 'batch_norm_tokens' | 'standardization'>;
}

/** Settings of SANE that a baseline depends on, beside its alignment. How weights are cut matters where padding is counted. */
export function settingsOfBaseline(
  feature: BaselineFeature,
  { property_prediction: { padding_in_statistics } }: Pick<BaselineSettings, 'property_prediction'>,
): ('token_size' | 'batch_norm_tokens' | 'standardization')[] {
  const own = ['batch_norm_tokens', 'standardization'] as const;
  return feature === 'statistics' && padding_in_statistics ? ['token_size', ...own] : [...own];
}

export interface Baseline {
  feature: BaselineFeature;
  models: Models;
  settings: BaselineSettings;
}

const shared = new SharedBy<Baseline>();

/** The same object for all runs that share it, as `modelsOf`. */
export function baselineOf(feature: BaselineFeature, run: PlannedRun): Baseline {
  const models = modelsOf(run);
  const { property_prediction, sane } = run.settings;
  const { token_size, batch_norm_tokens, standardization } = sane;
  const read = `${feature} ${token_size} ${batch_norm_tokens} ${standardization}`;
  return shared.get(models, property_prediction, read, () => ({
    feature,
    models,
    settings: { property_prediction, sane: { token_size, batch_norm_tokens, standardization } },
  }));
}

export const baselineProbes: Stage<Baseline> = {
  name: 'baseline-probes',
  description: 'predicts properties of networks from their weights, or from statistics of these',
  version: 1,
  usesDevice: false,
  load: async () => (await import('./run.ts')).baselineProbesStage,

  plan({ feature, models, settings }, planner) {
    const { architecture, dataset } = models;
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
