/** What a stage is to this program: its plan, and its work, which only the worker process loads. */
import type { JsonObject } from '../base/json.ts';
import type { Report } from '../base/progress.ts';
import type { StagePlan } from '../experiment/stage-plan.ts';

/** What the worker process gives to a stage. */
export interface StageContext {
  /** The resolved config, as the plan has it. */
  config: JsonObject;
  /** Folder of each input artefact, by name. */
  inputs: Record<string, string>;
  /**
   * The stage's own folder. It outlives an interruption: a stage that finds its earlier work here resumes from it, with
   * the same result. Files are written under a temporary name and renamed. When execute returns, the folder is the artefact.
   */
  dir: string;
  /** Where image data sets are looked for first (--data, EXP_DATA), or undefined. */
  dataDir: string | undefined;
  report: Report;
}

/** The work of a stage: the other face, in its run.ts. */
export interface StageImplementation {
  /** One of the parts (0-based) of a divided stage; undefined where the stage is never divided. */
  executePart?(context: StageContext, part: number, parts: number): Promise<void>;
  /** The whole stage, or what is left to do after its parts. */
  execute(context: StageContext): Promise<void>;
}

/** A stage as the registry has it. */
export interface Stage<Of = never> extends StagePlan<Of> {
  /** Loads its work, and with it tensor code. */
  load(): Promise<StageImplementation>;
}

/** What a worker needs of a stage. */
export type RunnableStage = Pick<Stage, 'usesDevice' | 'load'>;
