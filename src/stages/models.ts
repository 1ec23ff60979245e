/** The models that stages read. */
import type { Models, Planner } from '../experiment/stage-plan.ts';
import { alignment } from './alignment/plan.ts';
import { zoo } from './zoo/plan.ts';
import { zooImport } from './zoo-import/plan.ts';

/** The key of a run's zoo, trained or imported. */
export const keyOfZoo = (models: Models, planner: Planner): string =>
  planner.key(models.settings.zoo.import === null ? zoo : zooImport, models);

/** A run's zoo, and its alignment if the models are aligned, as inputs of all that reads models (Algorithms 1 and 2). */
export function modelInputs(models: Models, planner: Planner): { zoo: string; alignment?: string } {
  const zoo = keyOfZoo(models, planner);
  return models.settings.sane.alignment ? { zoo, alignment: planner.key(alignment, models) } : { zoo };
}
