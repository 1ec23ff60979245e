/** What an experiment is planned with: stages, architectures, data sets and devices. Planning knows none of them by name. */
import type { ErrorObject } from 'ajv';
import type { Json, JsonObject } from '../base/json.ts';
import type { StagePlan, TaskPlan } from './stage-plan.ts';
import type { ImageFolder, Settings } from './types.ts';

interface NamedShape {
  name: string;
  shape: number[];
}

/** What planning needs of an architecture; those of src/nets have it. */
export interface ArchitectureDescription {
  name: string;
  description: string;
  /** Channels of the first stage in the paper. Null: it has no width to set. */
  width: number | null;
  /** Throws where the options do not fit. */
  build(options: { input: [number, number, number]; classes: number; width: number | null }): {
    state: NamedShape[];
    /** The running statistics of batch normalisation among them. */
    buffers: NamedShape[];
  };
  /** What an experiment writes of an architecture of its own: part of the keys of all that is computed by it. */
  written?: Json;
  /** Whether nothing is known of its networks but their tensors. */
  opaque?: boolean;
}

/** What is wrong with an architecture that an experiment writes, with paths from the architecture on; or what it is. */
export type WrittenDescription =
  | {
      errors: ErrorObject[];
      problems: { path: readonly (string | number)[]; message: string; hint?: string }[];
    }
  | ArchitectureDescription;

/** What planning needs of a data set; those of src/data have it. */
export interface DatasetDescription {
  name: string;
  description: string;
  /** Height, width, channels of its images. */
  shape: readonly [number, number, number];
  classes: number;
  /** How many images there are, or are drawn where nobody says how many. */
  counts: { train: number; test: number };
  /** Whether they are drawn, as many as are asked for. */
  drawn?: boolean;
  /** The paper's data sets whose recipes and numbers it is set beside: the first that has one for the architecture. */
  standsFor: readonly string[];
  /** Of a folder that the experiment itself names: where it is, and what is in it, as part of the keys of all that is computed by it. */
  folder?: { path: string; content: JsonObject };
}

/** The paper's settings for an architecture and a data set, where they differ from the defaults. */
export interface Recipe {
  architecture: string;
  dataset: string;
  /** By dotted name; for what stands in for the data set, too. */
  set: Record<string, Json>;
  /** By the name of a task: what it has otherwise than the others. */
  tasks?: Record<string, Record<string, Json>>;
  /** How the data set's own images are prepared. */
  images?: Record<string, Json>;
}

type Named<Of> = Readonly<Record<string, Of>>;

export interface Catalogue {
  stages: Named<StagePlan>;
  architectures: Named<ArchitectureDescription>;
  /** Reads an architecture that an experiment writes under this name. */
  describe(name: string, value: unknown): WrittenDescription;
  datasets: Named<DatasetDescription>;
  /** Looks into a folder of images, without decoding them. Throws an Error that names what is wrong with it, and the remedy. */
  imageFolder(name: string, images: ImageFolder): DatasetDescription;
  devices: readonly string[];
  recipes: readonly Recipe[];
}

const isTask = (stage: StagePlan): stage is TaskPlan => stage.task !== undefined;

/** The stages that a run may end in. */
export const tasksOf = ({ stages }: Catalogue): TaskPlan[] => Object.values(stages).filter(isTask);

/** What settings come to that stand for the value of another, by dotted name. */
export const effectiveValues = ({ stages }: Catalogue, settings: Settings): Record<string, Json> =>
  Object.assign({}, ...Object.values(stages).map((stage) => stage.effective?.(settings)));

/** Dotted names of the settings that change no number. */
export const immaterialSettings = ({ stages }: Catalogue): Set<string> =>
  new Set(
    Object.values(stages).flatMap(({ settings }) =>
      (settings?.immaterial ?? []).map((name) => `${settings?.block}.${name}`),
    ),
  );
