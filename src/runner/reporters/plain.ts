/** Progress as plain lines, for logs: what starts, what ends, and in between each job's state now and then. */
import type { Reporter, RunnerEvent } from '../events.ts';
import { formatDuration, JobProgress } from './format.ts';

export class PlainReporter implements Reporter {
  private readonly jobs = new Map<string, { progress: JobProgress; toldAtMs: number }>();
  private finished = 0;
  private total = 0;

  constructor(
    private readonly write: (text: string) => void,
    private readonly everyMs = 10_000,
    private readonly now: () => number = () => performance.now(),
  ) {}

  report(event: RunnerEvent): void {
    switch (event.event) {
      case 'start': {
        this.total = event.jobs;
        const expected =
          event.expectedSeconds === null ? '' : `, about ${formatDuration(event.expectedSeconds)}`;
        this.line(
          `${event.experiment}: ${event.jobs} jobs for ${event.runs} runs, ${event.workers} at once${expected}`,
        );
        break;
      }
      case 'job-start':
        this.jobs.set(event.job, {
          progress: new JobProgress(event.label, this.now()),
          toldAtMs: this.now(),
        });
        this.line(`${event.label}: started`);
        break;
      case 'job-progress':
        this.progress(event);
        break;
      case 'job-done':
        this.finished++;
        this.jobs.delete(event.job);
        this.line(
          `${event.label}: done in ${formatDuration(event.seconds)} (${this.finished} of ${this.total} jobs)`,
        );
        break;
      case 'job-failed':
        this.jobs.delete(event.job);
        this.line(`${event.label}: FAILED: ${event.reason}`);
        this.line(`  log: ${event.log}`);
        break;
      case 'job-stopped':
        this.jobs.delete(event.job);
        this.line(`${event.label}: stopped`);
        break;
      case 'stage-skipped':
        this.total -= event.jobs;
        this.line(`${event.label}: not computed here, ${event.why}`);
        break;
      case 'note':
        this.line(event.text);
        break;
      case 'end':
        this.line(`ended after ${formatDuration(event.seconds)}`);
    }
  }

  private progress(event: Extract<RunnerEvent, { event: 'job-progress' }>): void {
    const job = this.jobs.get(event.job);
    if (!job) return;
    const now = this.now();
    job.progress.update(event.progress, now);
    if (now - job.toldAtMs < this.everyMs) return;
    job.toldAtMs = now;
    this.line(`${event.label}: ${job.progress.facts(now).join(', ')}`);
  }

  private line(text: string): void {
    this.write(`${text}\n`);
  }
}
