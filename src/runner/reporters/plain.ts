/** Progress as plain lines, for logs: what starts, what finishes, and every few seconds the state of each job. */
import { plural } from '../../base/plural.ts';
import type { Reporter, RunnerEvent } from '../events.ts';
import { formatDuration, JobProgress } from './format.ts';
import { Remaining } from './remaining.ts';

export class PlainReporter implements Reporter {
  private readonly jobs = new Map<string, { progress: JobProgress; writtenAtMs: number }>();
  private readonly remaining = new Remaining();
  private finished = 0;
  private total = 0;

  constructor(
    private readonly write: (text: string) => void,
    private readonly everyMs = 10_000,
    private readonly now: () => number = () => performance.now(),
  ) {}

  report(event: RunnerEvent): void {
    this.remaining.observe(event, this.now());
    switch (event.event) {
      case 'start': {
        this.total = event.jobs;
        const expected =
          event.expectedSeconds === null ? '' : `, about ${formatDuration(event.expectedSeconds)}`;
        this.line(
          `${event.experiment}: ${plural(event.jobs, 'job')} for ${plural(event.runs, 'run')}, ${event.workers} at a time${expected}`,
        );
        break;
      }
      case 'job-start':
        this.jobs.set(event.job, {
          progress: new JobProgress(event.label, this.now()),
          writtenAtMs: this.now(),
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
          `${event.label}: done in ${formatDuration(event.seconds)} (${this.finished} of ${plural(this.total, 'job')}${this.left()})`,
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
        this.line(`${event.label}: skipped, ${event.why}`);
        break;
      case 'note':
        this.line(event.text);
        break;
      case 'end':
        this.line(`${formatDuration(event.seconds)} in total`);
    }
  }

  /** `, about 5 min left`, as long as there is something to do. */
  private left(): string {
    const seconds = this.remaining.seconds(this.now());
    return seconds === undefined || this.finished >= this.total
      ? ''
      : `, about ${formatDuration(seconds)} left`;
  }

  private progress(event: Extract<RunnerEvent, { event: 'job-progress' }>): void {
    const job = this.jobs.get(event.job);
    if (!job) return;
    const now = this.now();
    job.progress.update(event.progress, now);
    if (now - job.writtenAtMs < this.everyMs) return;
    job.writtenAtMs = now;
    const all = this.left().replace(', ', '; all jobs ');
    this.line(`${event.label}: ${job.progress.facts(now).join(', ')}${all}`);
  }

  private line(text: string): void {
    this.write(`${text}\n`);
  }
}
