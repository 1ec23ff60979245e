/** Stage `alignment` to a plan: the order of every model's hidden units that is nearest to one reference model's. */
import type { Models } from '../../experiment/stage-plan.ts';
import { costOf, networkOfZoo } from '../cost.ts';
import { keyOfZoo } from '../models.ts';
import { alignmentOperations } from '../operations.ts';
import type { Stage } from '../stage.ts';
import { networkSettings, pick, population, populationSize } from '../work.ts';

/** Models that one job of a divided alignment takes, at most: minutes for a ResNet-18, less than a second for a small CNN. */
const modelsPerPart = 128;

export const alignment: Stage<Models> = {
  name: 'alignment',
  description: 'aligns the models of a zoo by git re-basin',
  version: 2,
  usesDevice: true,
  load: async () => (await import('./run.ts')).alignmentStage,

  plan: (models, planner) => ({
    label: `alignment ${models.architecture}/${models.dataset}`,
    config: { seed: models.settings.zoo.seed, orders: models.settings.sane.alignment_orders },
    inputs: { zoo: keyOfZoo(models, planner) },
    parts: Math.ceil(populationSize(models.settings.zoo) / modelsPerPart),
  }),

  work: (config, input) => ({
    settings: pick(input('zoo'), networkSettings),
    amount: population(input('zoo')).models * (config.orders as number),
  }),

  cost({ config, input }) {
    const zoo = input('zoo');
    const network = zoo && networkOfZoo(zoo);
    return (
      network &&
      costOf(population(zoo.config).models * (config.orders as number) * alignmentOperations(network))
    );
  },
};
