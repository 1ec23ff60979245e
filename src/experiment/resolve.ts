/** Settings of a run: defaults, the paper's recipe, and what the file and the arguments say. */
import { canonicalJson, isSameJson, type Json } from '../base/json.ts';
import { type Catalogue, effectiveValues, immaterialSettings, tasksOf } from './catalogue.ts';
import type { Axes } from './grid.ts';
import { formatOf } from './schema.ts';
import { settingIn, settingOf, withSettings } from './settings.ts';
import type { PaperSettings } from './stage-plan.ts';
import type { Difference, Experiment, Run, Settings } from './types.ts';

export type Identity = Pick<Run, 'architecture' | 'dataset' | 'task' | 'seed'>;

/**
 * The paper's settings for an architecture and data set; a stand-in has those of what it stands for, but for what is done to the
 * images. The same object for the same ones.
 */
export function paperSettings(catalogue: Catalogue): PaperSettings {
  const { defaults } = formatOf(catalogue);
  const known = new Map<string, Settings>();
  return ({ architecture, dataset, task }) => {
    const name = JSON.stringify([architecture, dataset, task]);
    const before = known.get(name);
    if (before) return before;
    const papers = [dataset, ...(catalogue.datasets[dataset]?.standsFor ?? [])];
    const own = catalogue.recipes.filter((entry) => entry.architecture === architecture);
    const [found] = papers.flatMap((paper) => own.find((entry) => entry.dataset === paper) ?? []);
    const images = found?.dataset === dataset ? found.images : {};
    const ofTask = task === undefined ? {} : found?.tasks?.[task];
    const settings = withSettings(defaults, { ...found?.set, ...ofTask, ...images });
    known.set(name, settings);
    return settings;
  };
}

/** What runs that differ by seed only have in common. */
export interface Conditions {
  settings: Settings;
  /** Dotted names of the settings that the file or the arguments give. */
  given: ReadonlySet<string>;
  differences: Difference[];
}

/** What the file gives where some overrides match. */
interface File {
  values: Record<string, Json>;
  /** The paper's settings with these. */
  settings: Map<Settings, Settings>;
  /** The dotted names of these, and of what a point gives, by the latter. */
  given: Map<string, ReadonlySet<string>>;
}

/**
 * Resolves points of an experiment's grid to their settings, in the order of precedence: defaults, recipe, blocks, overrides, axes, --set.
 * `matching` says of each override whether it matches the point. There may be a hundred thousand points, which differ in a block or two:
 * the other blocks are the same objects.
 */
export function resolver(
  catalogue: Catalogue,
  experiment: Experiment,
  set: Readonly<Record<string, Json>>,
): (point: Axes, matching: readonly boolean[]) => Conditions {
  const paperOf = paperSettings(catalogue);
  const stages = Object.values(catalogue.stages);
  const differencesOf = comparison(catalogue);
  const blocks: Record<string, Json> = {};
  for (const block of formatOf(catalogue).blocks) {
    const settings = Object.entries((experiment as unknown as Record<string, object>)[block] ?? {});
    for (const [name, value] of settings) blocks[`${block}.${name}`] = value;
  }
  /** By the overrides that match. */
  const files = new Map<string, File>();
  const fileOf = (matching: readonly boolean[]) => {
    const known = files.get(matching.join());
    if (known) return known;
    const changes = (experiment.overrides ?? []).map(({ set }, i) => (matching[i] ? set : {}));
    const made = { values: Object.assign({}, blocks, ...changes), settings: new Map(), given: new Map() };
    files.set(matching.join(), made);
    return made;
  };
  const shared = new SharedBlocks();
  return (point, matching) => {
    const identity = point as unknown as Identity;
    const paper = paperOf(identity);
    const file = fileOf(matching);
    const whole = file.settings.get(paper) ?? withSettings(paper, file.values);
    file.settings.set(paper, whole);
    const own: Record<string, Json> = {};
    for (const name in point) if (name.includes('.')) own[name] = point[name] as Json;
    Object.assign(own, set);
    const names = Object.keys(own).join();
    const given = file.given.get(names) ?? new Set([...Object.keys(file.values), ...Object.keys(own)]);
    file.given.set(names, given);
    let settings = shared.with(whole, own);
    for (const stage of stages) settings = shared.with(settings, stage.narrow?.(settings, given) ?? {});
    return { settings, given, differences: differencesOf(settings, paper, identity.task) };
  };
}

/** As `withSettings`, and blocks that were the same objects and have the same values changed are the same objects. */
class SharedBlocks {
  private readonly changed = new WeakMap<object, Map<string, object>>();

  with(settings: Settings, values: Readonly<Record<string, Json>>): Settings {
    let result = settings;
    for (const [dotted, value] of Object.entries(values)) {
      if (isSameJson(settingOf(result, dotted), value)) continue;
      const [block] = dotted.split('.') as [keyof Settings];
      const known = this.changed.get(result[block]) ?? new Map<string, object>();
      this.changed.set(result[block], known);
      const change = canonicalJson([dotted, value]);
      const made = known.get(change) ?? withSettings(result, { [dotted]: value })[block];
      known.set(change, made);
      result = { ...result, [block]: made };
    }
    return result;
  }
}

/** Finds where settings are not the paper's. That a data set is a stand-in, the tables say. */
function comparison(
  catalogue: Catalogue,
): (settings: Settings, recipe: Settings, task: string) => Difference[] {
  const stages = Object.values(catalogue.stages);
  const immaterial = immaterialSettings(catalogue);
  const names = formatOf(catalogue)
    .settingNames.filter((setting) => !immaterial.has(setting))
    .map((setting) => {
      const [block, name] = setting.split('.') as [keyof Settings, string];
      return { setting, block, name };
    });
  const tasks = new Map(tasksOf(catalogue).map(({ name, task }) => [name, task]));
  /** What the paper has for a task, by its recipe. */
  const papers = new Map<
    string,
    WeakMap<Settings, { settings: Settings; effective: Record<string, Json> }>
  >();
  const paperOf = (recipe: Settings, task: string) => {
    const known =
      papers.get(task) ?? new WeakMap<Settings, { settings: Settings; effective: Record<string, Json> }>();
    papers.set(task, known);
    const before = known.get(recipe);
    if (before) return before;
    const settings = withSettings(recipe, tasks.get(task)?.paper ?? {});
    const made = { settings, effective: effectiveValues(catalogue, settings) };
    known.set(recipe, made);
    return made;
  };
  return (settings, recipe, task) => {
    const dependsOn = new Set(tasks.get(task)?.dependsOn(settings));
    const paper = paperOf(recipe, task);
    const effective = effectiveValues(catalogue, settings);
    const found: Difference[] = [];
    for (const { setting, block, name } of names) {
      // Most blocks are the paper's own objects.
      if (settings[block] === paper.settings[block] && !(setting in effective)) continue;
      if (!dependsOn.has(block) && !dependsOn.has(setting)) continue;
      const value = effective[setting] ?? settingIn(settings[block], name);
      const papers = paper.effective[setting] ?? settingIn(paper.settings[block], name);
      if (isSameJson(value, papers)) continue;
      const difference = { setting, value, paper: papers };
      if (!stages.some((stage) => stage.isEquivalent?.(difference, settings))) found.push(difference);
    }
    return found;
  };
}
