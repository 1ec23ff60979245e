/** Settings of a run: defaults, the paper's recipe, and what the file and the arguments say. */
import { canonicalJson, type Json } from '../base/json.ts';
import { type Catalogue, effectiveValues, immaterialSettings, tasksOf } from './catalogue.ts';
import { type Axes, matches } from './grid.ts';
import { formatOf } from './schema.ts';
import { settingOf, withSettings } from './settings.ts';
import type { PaperSettings } from './stage-plan.ts';
import type { Difference, Experiment, Run, Settings } from './types.ts';

export type Identity = Pick<Run, 'architecture' | 'dataset' | 'task' | 'seed'>;

/**
 * The paper's settings for an architecture and data set; a stand-in has those of what it stands for, but for what is done to the
 * images.
 */
export function paperSettings(catalogue: Catalogue): PaperSettings {
  const { defaults } = formatOf(catalogue);
  return ({ architecture, dataset, task }) => {
    const papers = [dataset, ...(catalogue.datasets[dataset]?.standsFor ?? [])];
    const own = catalogue.recipes.filter((entry) => entry.architecture === architecture);
    const [found] = papers.flatMap((paper) => own.find((entry) => entry.dataset === paper) ?? []);
    const images = found?.dataset === dataset ? found.images : {};
    const ofTask = task === undefined ? {} : found?.tasks?.[task];
    return withSettings(defaults, { ...found?.set, ...ofTask, ...images });
  };
}

/** What runs that differ by seed only have in common. */
export interface Conditions {
  settings: Settings;
  /** Dotted names of the settings that the file or the arguments give. */
  given: ReadonlySet<string>;
  differences: Difference[];
}

/** A run's settings in the order of precedence: defaults, recipe, blocks, overrides, axes, --set. */
export function resolve(
  catalogue: Catalogue,
  experiment: Experiment,
  point: Axes,
  set: Record<string, Json>,
): Conditions {
  const identity = point as unknown as Identity;
  const paper = paperSettings(catalogue)(identity);
  const values: Record<string, Json> = {};
  for (const block of formatOf(catalogue).blocks) {
    const settings = Object.entries((experiment as unknown as Record<string, object>)[block] ?? {});
    for (const [name, value] of settings) values[`${block}.${name}`] = value;
  }
  for (const { when, set: changes } of experiment.overrides ?? []) {
    if (matches(point, when as Record<string, Json>)) Object.assign(values, changes);
  }
  for (const [name, value] of Object.entries(point)) if (name.includes('.')) values[name] = value;
  Object.assign(values, set);
  const given = new Set(Object.keys(values));
  let settings = withSettings(paper, values);
  for (const stage of Object.values(catalogue.stages)) {
    settings = withSettings(settings, stage.narrow?.(settings, given) ?? {});
  }
  return { settings, given, differences: differences(catalogue, settings, paper, identity.task) };
}

/** Where a run's settings are not the paper's. That its data set is a stand-in, the tables say. */
function differences(catalogue: Catalogue, settings: Settings, recipe: Settings, task: string): Difference[] {
  const stages = Object.values(catalogue.stages);
  const its = tasksOf(catalogue).find(({ name }) => name === task)?.task;
  const dependsOn = its?.dependsOn(settings) ?? [];
  const immaterial = immaterialSettings(catalogue);
  const paper = withSettings(recipe, its?.paper ?? {});
  const [mine, papers] = [effectiveValues(catalogue, settings), effectiveValues(catalogue, paper)];
  return formatOf(catalogue).settingNames.flatMap((setting) => {
    const [block] = setting.split('.') as [string];
    if (immaterial.has(setting) || !(dependsOn.includes(block) || dependsOn.includes(setting))) return [];
    const difference = {
      setting,
      value: mine[setting] ?? settingOf(settings, setting),
      paper: papers[setting] ?? settingOf(paper, setting),
    };
    const isSame =
      canonicalJson(difference.value) === canonicalJson(difference.paper) ||
      stages.some((stage) => stage.isEquivalent?.(difference, settings));
    return isSame ? [] : [difference];
  });
}
