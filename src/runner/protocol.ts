/** The messages between a runner and its worker processes, one JSON text per line. */
import type { LeaseName } from '../base/lease.ts';
import type { Progress } from '../base/progress.ts';
import type { StageNode } from '../experiment/types.ts';
import type { Workload } from './workload.ts';

/** File descriptor that a worker writes its messages to; its standard output and error go to the log. */
export const messagesFd = 3;

/** Runner to worker, the first line of standard input. The end of standard input means that the runner is gone. */
export interface JobSpec {
  node: StageNode;
  workload: Workload;
  /** Which part of a divided stage; undefined for the stage itself, after which the artefact is made. */
  part: number | undefined;
  /** Folder of each input artefact, by name. */
  inputs: Record<string, string>;
  storeRoot: string;
  /** Folder that the stage works in. */
  dir: string;
  /** Those of the stage and of its GPU, which the worker joins. */
  leases: readonly LeaseName[];
  /** Path or URL of the module whose `stages` has the implementations. */
  stagesModule: string;
  dataDir: string | undefined;
  device: string;
  /** Which GPU the worker sees, for people; undefined on a CPU. */
  gpu: string | undefined;
  threads: number;
  /** Seconds that earlier jobs of the stage took. */
  earlierSeconds: number;
  resumed: boolean;
}

/** Worker to runner. */
export type WorkerMessage =
  | { type: 'progress'; progress: Progress }
  | { type: 'done' }
  /** `lasting`: the same stage would fail again; false where the cause is the machine. */
  | { type: 'failed'; reason: string; lasting: boolean };
