/** The models that stages read. */
import type { Models, Planner } from '../experiment/stage-plan.ts';
import { alignment } from './alignment/plan.ts';
import { zoo } from './zoo/plan.ts';
import { zooImport } from './zoo-import/plan.ts';
import { homeOf, zoosOf } from './zoos.ts';

const zooOf = (models: Models, planner: Planner): string =>
  planner.key(models.settings.zoo.import === null ? zoo : zooImport, models);

/** The zoo that a run is about. */
function homeZoo(models: Models, planner: Planner): Models {
  const zoos = zoosOf(models, planner.folder, planner.paper);
  return zoos[homeOf(models, zoos)] as Models;
}

/** The key of the zoo that a run is about, trained or imported. */
export const keyOfZoo = (models: Models, planner: Planner): string =>
  zooOf(homeZoo(models, planner), planner);

/** The zoo that a run is about, and its alignment if the models are aligned, as inputs of all that reads models (Algorithms 1 and 2). */
export const modelInputs = (models: Models, planner: Planner) =>
  inputsOf(homeZoo(models, planner), planner) as { zoo: string; alignment?: string };

/** The same of all zoos of a run, in a new object: `zoo`, `zoo-2` and so on, in the order of the list. */
export function allModelInputs(models: Models, planner: Planner): Record<string, string> {
  const [first, ...others] = zoosOf(models, planner.folder, planner.paper);
  const all = inputsOf(first as Models, planner);
  for (const [i, one] of others.entries())
    for (const [name, key] of Object.entries(inputsOf(one, planner))) all[`${name}-${i + 2}`] = key;
  return all;
}

/** Of one zoo; a new object each time. */
function inputsOf(models: Models, planner: Planner): Record<string, string> {
  const zoo = zooOf(models, planner);
  return models.settings.sane.alignment ? { zoo, alignment: planner.key(alignment, models) } : { zoo };
}

/** Which of SANE's zoos a run is about, as part of a config, where it is not the first. */
export function homeConfig(models: Models, planner: Planner): { home?: number } {
  const home = homeOf(models, zoosOf(models, planner.folder, planner.paper));
  return home > 0 ? { home } : {};
}
