/** What the file becomes: settings resolved for each run, runs, and the plan of stages. All plain data. */

import type { Json, JsonObject } from '../base/json.ts';
import type { Problem } from './problems.ts';
import type { Experiment, Settings } from './schema.gen.ts';

export type { Experiment, Settings };
export type DataSettings = Settings['data'];
export type ZooSettings = Settings['zoo'];
export type SaneSettings = Settings['sane'];
export type HyperRepresentationSettings = Settings['hyper_representation'];
export type PropertyPredictionSettings = Settings['property_prediction'];
export type GenerationSettings = Settings['generation'];
export type AnalysisSettings = Settings['analysis'];

/** A data set of the experiment's own. */
export type OwnDataset = NonNullable<Experiment['datasets']>[string];
/** A folder of images, and how it becomes a data set. */
export type ImageFolder = Omit<OwnDataset, 'stands_for'>;

/** Names of the catalogue that the experiment is planned with, to which an experiment may add its own. */
export type Architecture = string;
export type Dataset = string;
export type Task = string;
export type Device = string;

/** A setting that is not as the paper has it. */
export interface Difference {
  /** Dotted, e.g. `zoo.models`. */
  setting: string;
  value: Json;
  paper: Json;
}

/** One point of the grid. */
export interface Run {
  /** Unique in its experiment and readable: the axes with more than one value, e.g. `dataset=mnist,seed=2`. */
  id: string;
  axes: JsonObject;
  architecture: Architecture;
  dataset: Dataset;
  task: Task;
  seed: number;
  settings: Settings;
  /** Of the experiment's own data sets: what they stand for in the tables, by their names. Without it, none stands for any. */
  standsFor?: Readonly<Record<Dataset, readonly Dataset[]>>;
  /** Where the run is not as the paper has it, e.g. smaller. Empty: the paper's own conditions. */
  differences: Difference[];
  /** Key of the stage whose artefact is the run's result. */
  resultKey: string;
}

/** A folder that an experiment reads: where it is, and a hash that changes with what is in it. */
export interface Folder {
  path: string;
  fingerprint: string;
  /** Channels of the images that the networks in it see, where that can be seen without reading weights. */
  channels?: number;
  /** What its networks are, and the images that they were trained on, where it says so. */
  architecture?: string;
  dataset?: string;
}

/** One piece of work: a function of its config and its inputs. Stages with the same key are the same stage. */
export interface StageNode {
  stage: string;
  /** Hash of stage, version, config and the inputs' keys. */
  key: string;
  version: number;
  config: JsonObject;
  /** As part of the config, where thousands of stages may have one config but for it: `wholeConfig` has both. */
  seed?: number | undefined;
  /** Keys of the artefacts it reads, by the name it knows them under. */
  inputs: Record<string, string>;
  /**
   * In how many jobs the stage is divided before it is put together (1: not divided). Parts run side by side and write
   * different files of the same folder. Not in the key: the result does not depend on it.
   */
  parts: number;
  /** Settings of how it is computed, which its result does not depend on; most stages have none. Not in the key. */
  options?: JsonObject;
  /** Readable, for screens and logs: `sane cnn-small/mnist seed=2`. Not in the key. */
  label: string;
}

/** A table of the paper by its number, or a mapping that says how to show it, or what to make one of. */
export type TableRequest = NonNullable<Experiment['tables']>[number];

/** What jobs ask a cluster for. */
export type LauncherSettings = NonNullable<Experiment['launcher']>;

/** The expanded experiment. Stages are in an order in which every input comes before its reader. */
export interface Plan {
  name: string;
  description: string;
  device: Device;
  /** In no key. */
  launcher: LauncherSettings;
  /** Of the paper; null: every table that a run belongs in. */
  tables: TableRequest[] | null;
  runs: Run[];
  stages: StageNode[];
  /** What works and should be written otherwise. */
  warnings: Problem[];
}
