/** Task `analysis` to a plan. */
import type { PlannedRun } from '../../experiment/stage-plan.ts';
import { checkCheckpoints } from '../checks.ts';
import { homeConfig, modelInputs } from '../models.ts';
import { sane } from '../sane/plan.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, population, saneSettings } from '../work.ts';
import schema from './settings.json' with { type: 'json' };

export const analysis: Stage<PlannedRun> = {
  name: 'analysis',
  description:
    "measures features of the layers of networks, by their spectra and by SANE's embeddings, and the loss by the length of the window",
  version: 1,
  usesDevice: true,
  load: async () => (await import('./run.ts')).analysisStage,
  settings: { block: 'analysis', schema },
  task: {
    tables: [],
    measures: { correlation: ['feature'], 'reconstruction-loss': ['split', 'window'] },
    dependsOn: () => ['data', 'zoo', 'sane', 'analysis'],
  },

  plan(run, planner) {
    const { architecture, dataset, seed, settings } = run;
    return {
      label: `analysis ${architecture}/${dataset} seed ${seed}`,
      config: { ...settings.analysis, ...homeConfig(run, planner) },
      inputs: { ...modelInputs(run, planner), sane: planner.key(sane, run) },
    };
  },

  work: (config, input) => ({
    settings: [...pick(input('zoo'), networkSettings), ...pick(input('sane'), saneSettings)],
    amount: population(input('zoo'), config.checkpoints).samples,
  }),

  check: ({ settings }) => checkCheckpoints('analysis', settings),
};
