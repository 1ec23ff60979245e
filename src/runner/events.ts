/** What a runner reports while it works. Plain data: the reporters draw it, `--json` prints it as it is. */
import type { Progress } from '../base/progress.ts';

/** What one process computes: a stage, or one part of it. */
export interface JobName {
  /** Unique in a plan. */
  job: string;
  /** e.g. `zoo cnn-small/mnist part 2/6`. */
  label: string;
}

export type RunnerEvent =
  | {
      event: 'start';
      experiment: string;
      runs: number;
      /** Jobs to do, and how many of them at once. */
      jobs: number;
      workers: number;
      store: string;
      /** Null where no similar stages were timed here. */
      expectedSeconds: number | null;
      /** Seconds that are expected of all jobs, one after the other. */
      expectedWork: number | null;
    }
  | ({ event: 'job-start'; expectedSeconds: number } & JobName)
  | ({ event: 'job-progress'; progress: Progress } & JobName)
  | ({ event: 'job-done'; seconds: number } & JobName)
  | ({ event: 'job-failed'; reason: string; log: string } & JobName)
  | ({ event: 'job-stopped' } & JobName)
  /** A stage that another runner computed, or whose input failed: its jobs do not run here. */
  | { event: 'stage-skipped'; label: string; jobs: number; why: SkipReason; expectedSeconds: number }
  | { event: 'note'; text: string }
  | { event: 'end'; seconds: number };

export type SkipReason = 'computed by another process' | 'one of its inputs failed' | 'stopped';

/** Receives the events. */
export interface Reporter {
  report(event: RunnerEvent): void;
}
