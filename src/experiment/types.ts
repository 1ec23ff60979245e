/** What the file becomes: settings resolved for each run, runs, and the plan of stages. All plain data. */
import type {
  Architecture,
  Data,
  Dataset,
  Device,
  Experiment,
  Generation,
  HyperRepresentation,
  PropertyPrediction,
  Sane,
  Task,
  Zoo,
} from './schema.gen.ts';

export type { Architecture, Dataset, Device, Experiment, Task };
export type DataSettings = Required<Data>;
export type ZooSettings = Required<Zoo>;
export type SaneSettings = Required<Sane>;
export type HyperRepresentationSettings = Required<HyperRepresentation>;
export type PropertyPredictionSettings = Required<PropertyPrediction>;
export type GenerationSettings = Required<Generation>;

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every setting of a run, nothing left open. */
export interface Settings {
  data: DataSettings;
  zoo: ZooSettings;
  sane: SaneSettings;
  hyper_representation: HyperRepresentationSettings;
  property_prediction: PropertyPredictionSettings;
  generation: GenerationSettings;
}

/** One point of the grid. */
export interface Run {
  /** Unique in its experiment and readable: the axes with more than one value, e.g. `dataset=mnist,seed=2`. */
  id: string;
  axes: Record<string, Json>;
  architecture: Architecture;
  dataset: Dataset;
  task: Task;
  seed: number;
  settings: Settings;
  /** How the run is smaller than the paper's, e.g. `zoo.models 60 (paper 1000)`. Empty: the paper's own conditions. */
  scaled: string[];
  /** Key of the stage whose artefact is the run's result. */
  resultKey: string;
}

export type StageName =
  | 'dataset'
  | 'zoo'
  | 'zoo-import'
  | 'alignment'
  | 'sane'
  | 'hyper-representation'
  | 'property-prediction'
  | 'generation'
  | 'reconstruction';

/** A folder that an experiment reads: where it is, and a hash that changes with what is in it. */
export interface Folder {
  path: string;
  fingerprint: string;
  /** Channels of the images that the networks in it see, where it tells that at a glance. */
  channels?: number;
}

/** One piece of work: a function of its config and its inputs. Stages with the same key are the same stage. */
export interface StageNode {
  stage: StageName;
  /** Hash of stage, version, config and the inputs' keys. */
  key: string;
  version: number;
  config: { [key: string]: Json };
  /** Keys of the artefacts it reads, by the name it knows them under. */
  inputs: Record<string, string>;
  /**
   * In how many jobs the stage is divided before it is put together (1: not divided). Parts run side by side and write
   * different files of the same folder. Not in the key: the result does not depend on it.
   */
  parts: number;
  /** Settings of how it is computed, which its result does not depend on. Not in the key. */
  options: { [key: string]: Json };
  /** Readable, for screens and logs: `sane cnn-small/mnist seed=2`. Not in the key. */
  label: string;
}

/** The expanded experiment. Stages are in an order in which every input comes before its reader. */
export interface Plan {
  name: string;
  description: string;
  device: Device;
  /** Of the paper; null: every table that a run belongs in. */
  tables: number[] | null;
  runs: Run[];
  stages: StageNode[];
}
