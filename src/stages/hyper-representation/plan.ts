/** Stage `hyper-representation` to a plan: the baseline of 2022, an autoencoder on whole networks. */
import type { PlannedRun } from '../../experiment/stage-plan.ts';
import { checkBatches, checkCheckpoints, checkHeads, narrowCheckpoints } from '../checks.ts';
import { baselineBytes, costOf, operationsOfBaseline } from '../cost.ts';
import { keyOfZoo } from '../models.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, population } from '../work.ts';
import schema from './settings.json' with { type: 'json' };

export const hyperRepresentation: Stage<PlannedRun> = {
  name: 'hyper-representation',
  description: 'trains the baseline on all weights of small networks at once',
  version: 1,
  usesDevice: true,
  load: async () => (await import('./run.ts')).hyperRepresentationStage,
  settings: { block: 'hyper_representation', schema, renamed: { epochs_used: 'checkpoints' } },

  /** The method of 2022 aligns no models. */
  plan(run, planner) {
    const { architecture, dataset, seed, settings } = run;
    return {
      label: `hyper-representation ${architecture}/${dataset} seed ${seed}`,
      config: { ...settings.hyper_representation, seed },
      inputs: { zoo: keyOfZoo(run, planner) },
    };
  },

  work(config, input) {
    const sizes = pick(config, ['d_model', 'latent_dim', 'layers', 'heads', 'batch_size']);
    const { samples } = population(input('zoo'), config.checkpoints);
    return {
      settings: [...sizes, ...pick(input('zoo'), networkSettings)],
      amount: samples * (config.epochs as number),
    };
  },

  cost({ config, input }) {
    const zoo = input('zoo');
    return zoo && costOf(operationsOfBaseline(config, zoo), baselineBytes(config, zoo));
  },

  narrow: (settings, given) =>
    given.has('hyper_representation.checkpoints')
      ? {}
      : narrowCheckpoints('hyper_representation', 1, settings),

  effective: ({ hyper_representation: own, zoo }) => ({
    'hyper_representation.checkpoints': own.checkpoints ?? zoo.checkpoints,
  }),

  check: (run, { catalogue }) => [
    ...checkCheckpoints('hyper_representation', run.settings),
    ...checkHeads('hyper_representation', run.settings),
    ...checkBatches('hyper_representation', run, catalogue),
  ],
};
