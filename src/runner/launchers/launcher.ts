/** What computes the stages of a plan: this machine, or a cluster. */
import type { Plan } from '../../experiment/types.ts';
import type { Reporter } from '../events.ts';
import type { KeptPlan } from '../plans.ts';
import type { StageOutcome } from '../stage-runner.ts';
import type { Store } from '../store.ts';
import type { StageState } from '../survey.ts';

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
  /** Jobs continue without this process. */
  | { state: 'left'; jobs: number };

/** By which jobs of a plan are found. */
export type PlanId = Pick<KeptPlan, 'name' | 'id'>;

export interface Launcher {
  /** Computes what is to be computed. Throws a LauncherError where the arguments or the cluster refuse that. */
  launch(options: LaunchOptions): Promise<Launched>;
  /** For --dry-run: the scripts that would be submitted. Without it, the plan is shown. */
  scripts?(options: Omit<LaunchOptions, 'interrupt' | 'second' | 'reporter'>): Promise<string>;
  /** Of one that has a queue: the keys of the stages of a plan whose jobs are in it; none where it cannot be asked. */
  queued?(store: Store, plan: PlanId): Promise<ReadonlySet<string>>;
  /** Cancels the jobs of a plan and returns how many. Throws a LauncherError. */
  cancel?(store: Store, plan: PlanId): Promise<number>;
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
