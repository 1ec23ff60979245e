/** Settings of a run: defaults, the paper's recipe, and what the file and the arguments say. */
import { type Axes, matches } from './grid.ts';
import { canonicalJson } from './keys.ts';
import recipes from './recipes.json' with { type: 'json' };
import { type Block, blocks, defaults, settingNames } from './schema.ts';
import type { Architecture, DataSettings, Dataset, Experiment, Json, Settings, Task } from './types.ts';

interface Recipe {
  architecture: string;
  dataset: string;
  set: Record<string, Json>;
  /** How the data set's own images are prepared. */
  images?: Record<string, Json>;
}

/** The recipe's settings for an architecture and data set; a stand-in has those of what it stands for, but for what is done to the images. */
function recipe(architecture: string, dataset: string): Record<string, Json> {
  const { comment: _, ...standIns } = recipes.stand_ins;
  const papers = (standIns as Record<string, string[]>)[dataset] ?? [dataset];
  const own = (recipes.recipes as Recipe[]).filter((entry) => entry.architecture === architecture);
  const [found] = papers.flatMap((paper) => own.find((entry) => entry.dataset === paper) ?? []);
  return { ...found?.set, ...(found?.dataset === dataset ? found.images : {}) };
}

function assign(settings: Record<Block, Record<string, Json>>, name: string, value: Json): void {
  const [block, setting] = name.split('.') as [Block, string];
  settings[block] = { ...settings[block], [setting]: value };
}

/** Conditions of the paper for a run: defaults and recipe, nothing else. */
function paperSettings(architecture: string, dataset: string): Record<Block, Record<string, Json>> {
  const settings = { ...defaults };
  for (const [name, value] of Object.entries(recipe(architecture, dataset))) assign(settings, name, value);
  return settings;
}

type Combination = Pick<Identity, 'architecture' | 'dataset'>;

/**
 * The block `data` of a run for the images of another data set or architecture: what the run's recipe says gives way to what the other's says,
 * what the file gives stays.
 */
export function dataSettingsFor(data: DataSettings, run: Combination, other: Combination): DataSettings {
  const [own, its] = [run, other].map(
    ({ architecture, dataset }) => paperSettings(architecture, dataset).data,
  );
  const entries = Object.entries(data as unknown as Record<string, Json>).map(([name, value]) => {
    const fromRecipe = canonicalJson(value) === canonicalJson(own?.[name] as Json);
    return [name, fromRecipe ? its?.[name] : value];
  });
  return Object.fromEntries(entries);
}

export interface Identity {
  architecture: Architecture;
  dataset: Dataset;
  task: Task;
  seed: number;
}

/** What runs that differ by seed only have in common. */
export interface Conditions {
  settings: Settings;
  /** Settings that the file or the arguments give. */
  given: ReadonlySet<string>;
  scaled: string[];
}

/** A run's settings in the order of precedence: defaults, recipe, blocks, overrides, axes, --set. */
export function resolve(experiment: Experiment, point: Axes, set: Record<string, Json>): Conditions {
  const { architecture, dataset, task } = point as unknown as Identity;
  const paper = paperSettings(architecture, dataset);
  const settings = { ...paper };
  const given = new Set<string>();
  const give = (name: string, value: Json) => {
    given.add(name);
    assign(settings, name, value);
  };
  for (const block of blocks) {
    for (const [name, value] of Object.entries(experiment[block] ?? {}))
      give(`${block}.${name}`, value as Json);
  }
  for (const { when, set: changes } of experiment.overrides ?? []) {
    if (!matches(point, when as Record<string, Json>)) continue;
    for (const [name, value] of Object.entries(changes)) give(name, value as Json);
  }
  for (const [name, value] of Object.entries(point)) if (name.includes('.')) give(name, value);
  for (const [name, value] of Object.entries(set)) give(name, value);
  narrow(settings, given);
  const resolved = settings as unknown as Settings;
  return { settings: resolved, given, scaled: scaledBy(resolved, paper, task) };
}

/**
 * Settings that take all of the zoo's checkpoints where they are null, and how many of the epochs that a recipe has must be there for
 * it to be followed: what predicts the epoch needs two.
 */
const epochsOfZoo: Record<string, number> = {
  'sane.epochs_used': 1,
  'hyper_representation.epochs_used': 1,
  'property_prediction.epochs_used': 2,
};

/** Epoch lists that nobody gave keep only what the run has: checkpoints up to its last epoch, uses of checkpoints that exist. */
function narrow(settings: Record<Block, Record<string, Json>>, given: ReadonlySet<string>): void {
  const { zoo, generation } = settings;
  const epochs = zoo.epochs as number;
  if (!given.has('zoo.checkpoints') && zoo.import === null) {
    const kept = (zoo.checkpoints as number[]).filter((epoch) => epoch <= epochs);
    assign(settings, 'zoo.checkpoints', kept);
  }
  const kept = settings.zoo.checkpoints as number[];
  for (const [name, least] of Object.entries(epochsOfZoo)) {
    const [block, setting] = name.split('.') as [Block, string];
    const wanted = settings[block][setting] as number[] | null;
    if (wanted === null || given.has(name)) continue;
    const used = wanted.filter((epoch) => kept.includes(epoch));
    // Too few of the authors' epochs are there: all that are there.
    assign(settings, name, used.length < least ? null : used);
  }
  if (!given.has('generation.epochs')) {
    const listed = (generation.epochs as number[]).filter((epoch) => epoch === 0 || kept.includes(epoch));
    assign(settings, 'generation.epochs', listed);
  }
}

/**
 * Settings that change no number: which of them are asked for, seeds of what they are means over, which checkpoints are kept
 * beside those that are used, how many models are trained at once, and rows of position tables that the zoo's networks do not have.
 */
const immaterial = new Set([
  'zoo.seed',
  'zoo.lockstep',
  'zoo.checkpoints',
  'sane.positions',
  'property_prediction.features',
  'property_prediction.targets',
  'generation.methods',
]);

/** The block of each task's own settings. */
const taskBlocks: Partial<Record<Task, Block>> = {
  'property-prediction': 'property_prediction',
  generation: 'generation',
};

/**
 * What the paper has for one task only: five permutations in Table 6 (Appendix A), and networks generated by a SANE of late epochs,
 * as the released configurations of the small CNNs have it too.
 */
const paperOfTask: Partial<Record<Task, Record<string, Json>>> = {
  reconstruction: { 'sane.permutations': 5 },
  generation: { 'sane.epochs_used': [21, 22, 23, 24, 25] },
};

/** Settings whose null does nothing, rather than to leave nothing out. */
const noneForNull = new Set(['sane.gradient_clip', 'zoo.import', 'data.crop', 'data.resize']);

/** A setting's value for a reader; null is what leaves nothing out, or in the case of clipping does nothing. */
function describe(name: string, value: Json): string {
  if (name === 'data.normalize' && value === null) return "the data set's";
  if (value === null) return noneForNull.has(name) ? 'none' : 'all';
  return canonicalJson(value);
}

/** Where a run's settings differ from the paper's, for a reader. That its data set is a stand-in, the tables say. */
function scaledBy(settings: Settings, paper: Record<Block, Record<string, Json>>, task: Task): string[] {
  const usesSane =
    task !== 'property-prediction' ||
    settings.property_prediction.features.some((feature) => feature.startsWith('sane'));
  const usesHyperRepresentation =
    task === 'generation' && settings.generation.methods.includes('hyper-representation');
  const others = Object.values(taskBlocks).filter((block) => block !== taskBlocks[task]);
  const differences: string[] = [];
  for (const name of settingNames) {
    const [block, setting] = name.split('.') as [Block, string];
    const shared = ['alignment', 'token_size', 'batch_norm_tokens', 'standardization'].includes(setting);
    if (immaterial.has(name) || others.includes(block) || (block === 'sane' && !usesSane && !shared))
      continue;
    if (block === 'hyper_representation' && !usesHyperRepresentation) continue;
    const ofZoo = name in epochsOfZoo;
    const given = (settings[block] as unknown as Record<string, Json>)[setting] as Json;
    const value = ofZoo ? (given ?? settings.zoo.checkpoints) : given;
    const said = paperOfTask[task]?.[name] ?? (paper[block][setting] as Json);
    const published = ofZoo ? (said ?? (paper.zoo.checkpoints as Json)) : said;
    if (value === published) continue;
    // Which epochs are measured matters only for the last, and only to a schedule that ends there.
    if (name === 'generation.epochs') {
      const [budget, papers] = [value, published].map((list) => Math.max(...(list as number[])));
      if (settings.zoo.schedule === 'constant' || budget === papers) continue;
    }
    const [mine, theirs] = [value, published].map((one) => describe(name, one));
    if (mine !== theirs) differences.push(`${name} ${mine} (paper ${theirs})`);
  }
  return differences;
}
