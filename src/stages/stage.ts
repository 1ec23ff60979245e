/** What the worker process gives to a stage, and what a stage is. */

import type { Report } from '../base/progress.ts';
import type { Json } from '../experiment/types.ts';

export interface StageContext {
  /** The resolved config, as the plan has it. */
  config: { [key: string]: Json };
  /** Folder of each input artefact, by name. */
  inputs: Record<string, string>;
  /**
   * The stage's own folder. It outlives an interruption: a stage that finds its earlier work here goes on from it, with
   * the same result. Files are written under a temporary name and renamed. When execute returns, the folder is the artefact.
   */
  dir: string;
  /** Where image data sets are looked for first (--data, EXP_DATA), or undefined. */
  dataDir: string | undefined;
  report: Report;
}

export interface StageImplementation {
  /** Whether a tensor device is started before it. */
  usesDevice: boolean;
  /** One of the parts (0-based) of a divided stage; undefined where the stage is never divided. */
  executePart?(context: StageContext, part: number, parts: number): Promise<void>;
  /** The whole stage, or what is left to do after its parts. */
  execute(context: StageContext): Promise<void>;
}
