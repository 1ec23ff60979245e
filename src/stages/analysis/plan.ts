/** Task `analysis` to a plan. */
import { splitSizes } from '../../base/shares.ts';
import type { PlannedRun } from '../../experiment/stage-plan.ts';
import { checkCheckpoints } from '../checks.ts';
import { costOf, embedding, networkOfZoo } from '../cost.ts';
import { homeConfig, modelInputs } from '../models.ts';
import { spectraOperations } from '../operations.ts';
import { sane } from '../sane/plan.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, population, saneSettings } from '../work.ts';
import schema from './settings.json' with { type: 'json' };

/** Windows that are tried where nobody names them. */
const usualWindows = 6;

export const analysis: Stage<PlannedRun> = {
  name: 'analysis',
  description:
    "measures features of the layers of networks, by their spectra and by SANE's embeddings, and the loss by the length of the window",
  version: 2,
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
    settings: [
      ...[...pick(input('zoo'), networkSettings), ...pick(input('sane'), saneSettings)],
      ...pick(config, ['models', 'windows']),
    ],
    amount: population(input('zoo'), config.checkpoints).samples,
  }),

  /** Embeddings and spectra of the test models, and encoder and decoder for each window. */
  cost({ config, input }) {
    const [zoo, sane] = [input('zoo'), input('sane')];
    const network = zoo && networkOfZoo(zoo);
    const one = zoo && sane && embedding(sane.config, zoo);
    if (!network || one === undefined) return undefined;
    const { models, samples } = population(zoo.config, config.checkpoints);
    const [, , tests] = splitSizes(models, zoo.config.split as number[]);
    const analysed = (samples / models) * Math.min(tests, (config.models as number | null) ?? tests);
    const windows = (config.windows as number[] | null)?.length ?? usualWindows;
    return costOf(analysed * (one * (1 + 2 * windows) + spectraOperations(network)));
  },

  check: ({ settings }) => checkCheckpoints('analysis', settings),
};
