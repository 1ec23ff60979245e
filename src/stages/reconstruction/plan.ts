/** Task `reconstruction` to a plan. */
import type { PlannedRun } from '../../experiment/stage-plan.ts';
import { costOf, embeddings } from '../cost.ts';
import { homeConfig, modelInputs } from '../models.ts';
import { pretraining, sane } from '../sane/plan.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, population, saneSettings } from '../work.ts';

export const reconstruction: Stage<PlannedRun> = {
  name: 'reconstruction',
  description: 'measures how well SANE reconstructs the weights of training and test models',
  version: 2,
  usesDevice: true,
  load: async () => (await import('./run.ts')).reconstructionStage,
  task: {
    tables: [6],
    measures: { 'reconstruction-loss': ['split', 'view'] },
    dependsOn: () => ['data', 'zoo', 'sane'],
    // Appendix A.
    paper: { 'sane.permutations': 5, 'sane.permutation_protocol': 'pool' },
  },

  plan(run, planner) {
    const { architecture, dataset, seed, settings } = run;
    return {
      label: `reconstruction ${architecture}/${dataset} seed ${seed}`,
      config: { ...pretraining(settings.sane), ...homeConfig(run, planner), seed },
      inputs: { ...modelInputs(run, planner), sane: planner.key(sane, run) },
    };
  },

  work: (config, input) => ({
    settings: [...pick(config, saneSettings), ...pick(input('zoo'), networkSettings)],
    amount: population(input('zoo'), config.checkpoints).samples,
  }),

  /** Encoder and decoder, for two views of the test models. */
  cost({ config, input }) {
    const zoo = input('zoo');
    const once = zoo && embeddings(config, zoo, config.checkpoints, 'test');
    return once === undefined ? undefined : costOf(4 * once);
  },
};
