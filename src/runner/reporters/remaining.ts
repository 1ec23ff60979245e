/** How long everything will still take: what was expected of the work that is left, by how right that was so far. */
import type { RunnerEvent } from '../events.ts';

/** Sooner, the start of a process counts for more than its work. */
const enoughSeconds = 5;

interface Running {
  expected: number;
  fraction: number;
  /** What is counted, once anything is: what came before, such as reading a checkpoint, is counted in another unit. */
  unit: string | undefined;
  sinceMs: number;
  /** What an earlier, interrupted run had done of it. */
  before: number;
}

export class Remaining {
  private workers = 1;
  /** Seconds of jobs that were expected in all; null where there is no estimate. */
  private expected: number | null = null;
  private readonly ended = { expected: 0, seconds: 0 };
  private readonly running = new Map<string, Running>();

  observe(event: RunnerEvent, nowMs: number): void {
    switch (event.event) {
      case 'start':
        this.workers = event.workers;
        this.expected = event.expectedWork;
        break;
      case 'job-start':
        this.running.set(event.job, {
          ...{ expected: event.expectedSeconds, fraction: 0 },
          ...{ unit: undefined, sinceMs: nowMs, before: 0 },
        });
        break;
      case 'job-progress': {
        const job = this.running.get(event.job);
        if (!job) break;
        const { done, total, unit } = event.progress;
        job.fraction = done / Math.max(total, 1);
        if (unit !== job.unit) Object.assign(job, { unit, sinceMs: nowMs, before: job.fraction });
        break;
      }
      case 'job-done': {
        const { expected = 0, before = 0 } = this.running.get(event.job) ?? {};
        this.running.delete(event.job);
        this.drop(expected * before);
        if (before === 1) break;
        this.ended.expected += expected * (1 - before);
        this.ended.seconds += event.seconds;
        break;
      }
      case 'job-failed':
      case 'job-stopped':
        this.drop(this.running.get(event.job)?.expected ?? 0);
        this.running.delete(event.job);
        break;
      case 'stage-skipped':
        this.drop(event.expectedSeconds);
    }
  }

  /** Work that is not done here. */
  private drop(seconds: number): void {
    if (this.expected !== null) this.expected -= seconds;
  }

  /** Seconds; undefined where there is no estimate yet. */
  seconds(nowMs: number): number | undefined {
    if (this.expected === null) return undefined;
    const running = [...this.running.values()];
    const begun = running.filter(({ fraction, before }) => fraction > before);
    const spent = begun.reduce((sum, job) => sum + (nowMs - job.sinceMs) / 1000, this.ended.seconds);
    const worth = begun.reduce(
      (sum, { expected, fraction, before }) => sum + expected * (fraction - before),
      this.ended.expected,
    );
    const pace = spent < enoughSeconds || worth <= 0 ? 1 : spent / worth;
    const done = running.reduce((sum, job) => sum + job.expected * job.fraction, this.ended.expected);
    return (Math.max(0, this.expected - done) * pace) / this.workers;
  }
}
