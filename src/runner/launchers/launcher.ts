/** What computes the stages of a plan: this machine, or a cluster. */
import type { Plan } from '../../experiment/types.ts';
import type { Reporter } from '../events.ts';
import type { KeptPlan } from '../plans.ts';
import type { StageOutcome } from '../stage-runner.ts';
import type { Store } from '../store.ts';
import type { StageState } from '../survey.ts';
import type { Unneeded } from '../unneeded.ts';

export interface LaunchOptions {
  plan: Plan;
  /** By which the store knows the plan. */
  planId: string;
  /** Of every stage of the plan; those whose state is `compute` are computed. */
  states: ReadonlyMap<string, StageState>;
  store: Store;
  /** As the arguments or the plan name it, e.g. `auto`. */
  device: string;
  /** --gpus and --jobs, where they are given. */
  gpus: readonly number[] | undefined;
  jobs: number | undefined;
  dataDir: string | undefined;
  stagesModule: string;
  failFast: boolean;
  /** Whether to return as soon as jobs are in a queue. */
  detach: boolean;
  reporter: Reporter;
  /** Aborted by the first signal to this process, its name the reason, and by the second one. */
  interrupt: AbortSignal;
  second: AbortSignal;
}

export type Launched =
  | { state: 'ended'; outcomes: ReadonlyMap<string, StageOutcome> }
  /** Interrupted, and what was running is stopped. */
  | { state: 'interrupted'; outcomes: ReadonlyMap<string, StageOutcome> }
  /** Jobs of this plan continue without this process, and it waits for others, of other experiments; so many stages have none yet. */
  | { state: 'left'; jobs: number; others: number; unsubmitted: number };

export interface CancelOptions {
  plans: readonly KeptPlan[];
  /** Ids of all plans that are kept. */
  kept: ReadonlySet<string>;
  /** Whether jobs are cancelled, too, that compute what jobs of other experiments in the queue need. */
  shared: boolean;
}

export interface Cancelled {
  /** How many were cancelled, and the stages that they were to compute. */
  jobs: number;
  keys: ReadonlySet<string>;
  /** What stays in the queue and why, a line each. */
  left: string[];
}

export interface Launcher {
  /** Computes what is to be computed. Throws a LauncherError where the arguments or the cluster refuse that. */
  launch(options: LaunchOptions): Promise<Launched>;
  /** For --dry-run: the scripts that would be submitted. Without it, the plan is shown. */
  scripts?(options: Omit<LaunchOptions, 'interrupt' | 'second' | 'reporter'>): Promise<string>;
  /** Of one that has a queue: the keys of the stages whose jobs are in it; none where it cannot be asked. */
  queued?(store: Store): Promise<ReadonlySet<string>>;
  /** Cancels the jobs of plans, and those for stages of them whose own plan is not kept any more. Throws a LauncherError. */
  cancel?(store: Store, options: CancelOptions): Promise<Cancelled>;
  /** What is kept of jobs that have ended, but of those that were to compute what is needed and unfinished; none where the queue cannot be asked. */
  ended?(store: Store, needed: ReadonlySet<string>): Promise<Unneeded[]>;
  /** Removes one of them, by its key, if `ended` still returned it; returns whether it did. */
  removeEnded?(store: Store, needed: ReadonlySet<string>, key: string): Promise<boolean>;
}

/** Why nothing can be computed there, for people. */
export class LauncherError extends Error {
  override readonly name = 'LauncherError';

  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}
