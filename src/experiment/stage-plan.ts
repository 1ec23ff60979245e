/** What a stage is to a plan: plain data and pure functions. What it does is in another file, which only workers load. */
import type { Json, JsonObject } from '../base/json.ts';
import type { Catalogue, DatasetDescription } from './catalogue.ts';
import type { Problem } from './problems.ts';
import type { Folder, Run, Settings, StageNode } from './types.ts';

/** A run before its stages are known. */
export type PlannedRun = Omit<Run, 'id' | 'resultKey' | 'differences'>;

/** The models that a zoo is of, with the settings that decide what they are and in which order their hidden units are. */
export type Models = Pick<Run, 'architecture' | 'dataset'> & {
  settings: Pick<Settings, 'data' | 'zoo'> & {
    sane: Pick<Settings['sane'], 'alignment' | 'alignment_orders'>;
  };
};

/** A block of settings in the experiment file. Names in its lists are without the block's. */
export interface SettingsBlock {
  block: string;
  /** JSON Schema of its settings, each with its description and default. */
  schema: {
    description: string;
    properties: Readonly<Record<string, { description: string; default?: unknown }>>;
  };
  /** Settings that change no number: which numbers are asked for, the seeds that they are means over, how it is computed. */
  immaterial?: readonly string[];
  /** Settings by the names that they had in the version before; a file may still use these, with a warning. */
  renamed?: Readonly<Record<string, string>>;
  /** What null says to a reader, where it is not `all`. */
  nullMeans?: Readonly<Record<string, string>>;
}

/** What makes a stage a task: runs end in it. */
export interface TaskDescription {
  /** Numbers of the paper's tables that its results fill. */
  tables: readonly number[];
  /** The labels of its results, by metric. */
  measures: Readonly<Record<string, readonly string[]>>;
  /** Blocks, and settings of other blocks, that a run's numbers depend on; with labels, those that the numbers so labelled do. */
  dependsOn(settings: Settings, labels?: Readonly<Record<string, unknown>>): readonly string[];
  /** What the paper has for this task only, by dotted name. */
  paper?: Readonly<Record<string, Json>>;
}

/** A mistake in a run's settings. `path` is that of the setting in the file. */
export type SettingProblem = Omit<Problem, 'path' | 'place'> & { path: string[] };

/** The paper's settings for an architecture and data set, and for a task if it is given: defaults and recipe, nothing else. */
export type PaperSettings = (
  of: Pick<Run, 'architecture' | 'dataset'> & Partial<Pick<Run, 'task'>>,
) => Settings;

export interface CheckContext {
  catalogue: Catalogue;
  paper: PaperSettings;
  /** Dotted names of the settings that the file or the arguments give. */
  given: ReadonlySet<string>;
  /** What is in the folders that the run names. */
  folders: ReadonlyMap<string, Folder>;
}

/** Hands out the same stage for the same work. */
export interface Planner {
  /** The key of a stage, which is planned with its inputs unless it is already. */
  key<Of extends object>(stage: StagePlan<Of>, of: Of): string;
  paper: PaperSettings;
  /** What the experiment itself writes of an architecture, as part of a config; nothing of those that the program knows. */
  written(architecture: string): JsonObject;
  /** The data set of this name; undefined where there is none. */
  dataset(name: string): DatasetDescription | undefined;
  folder(path: string): Folder;
}

/** What a stage computes: its config and inputs are its key. */
export type StageRequest = Pick<StageNode, 'label' | 'inputs'> & {
  config: object;
  /** The run's, as part of the config: apart from it where the rest is the same object for all seeds. */
  seed?: number | undefined;
} & Partial<Pick<StageNode, 'parts' | 'options'>>;

/** How much work a stage is: those of equal `settings` take time in proportion to their amount. */
export interface Work {
  settings: Json[];
  amount: number;
}

/** Roughly what a stage takes: floating-point operations, and bytes that its artefact keeps. */
export interface Cost {
  operations: number;
  bytes: number;
}

/** A stage of a plan, with what it reads. */
export interface Planned {
  /** Without the seed, where that is apart. */
  config: JsonObject;
  options: JsonObject | undefined;
  input(name: string): Planned | undefined;
}

/** `Of` is what the stage is planned for: a run, or less. */
export interface StagePlan<Of = never> {
  name: string;
  description: string;
  /** Raised when the stage's code changes its result, so that artefacts of older code are not taken for its own. */
  version: number;
  /** Whether it computes on the tensor device. */
  usesDevice: boolean;
  settings?: SettingsBlock;
  task?: TaskDescription;
  /** What one stage of this kind computes, after its inputs were planned. */
  plan(of: Of, planner: Planner): StageRequest;
  /** `input` gives the config of an input, empty where there is none. */
  work(config: JsonObject, input: (name: string) => JsonObject): Work;
  /** A guess for where none of its kind was timed. Undefined where there is no estimate. */
  cost?(planned: Planned): Cost | undefined;
  /** Settings that nobody gave, changed to fit those that somebody did. */
  narrow?(settings: Settings, given: ReadonlySet<string>): Record<string, Json>;
  /** Folders that a run reads, with the paths of the settings that name them. */
  folders?(settings: Settings): { path: string[]; folder: string }[];
  /** Mistakes between the settings of one run, which only its resolved settings show. */
  check?(run: PlannedRun, context: CheckContext): SettingProblem[];
  /** What settings come to that stand for the value of another, by dotted name. */
  effective?(settings: Settings): Record<string, Json>;
  /** Whether a setting that is not as in the paper gives the same numbers all the same. */
  isEquivalent?(difference: { setting: string; value: Json; paper: Json }, settings: Settings): boolean;
}

/** A stage that a run may end in. */
export interface TaskPlan extends StagePlan<PlannedRun> {
  task: TaskDescription;
}
