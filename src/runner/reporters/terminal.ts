/** Progress on a terminal: one line for each running job and one for the whole, redrawn in place; what is finished scrolls up. */
import { styleText } from 'node:util';
import { plural } from '../../base/plural.ts';
import type { Reporter, RunnerEvent } from '../events.ts';
import { cut, cutMiddle, formatBar, formatDuration, JobProgress } from './format.ts';
import { Remaining } from './remaining.ts';

const redrawEveryMs = 100;
const barWidth = 20;
const labelWidth = 48;

export interface Terminal {
  write(text: string): void;
  /** Width now; it can change. */
  columns(): number;
  color: boolean;
}

type Style = Parameters<typeof styleText>[0];

export class TerminalReporter implements Reporter {
  private readonly jobs = new Map<string, JobProgress>();
  private readonly remaining = new Remaining();
  private start: Extract<RunnerEvent, { event: 'start' }> | undefined;
  private startedAtMs = 0;
  private finished = 0;
  private failed = 0;
  private total = 0;
  private drawnLines = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly terminal: Terminal,
    private readonly now: () => number = () => performance.now(),
  ) {}

  report(event: RunnerEvent): void {
    this.remaining.observe(event, this.now());
    switch (event.event) {
      case 'start':
        this.start = event;
        this.startedAtMs = this.now();
        this.total = event.jobs;
        this.timer = setInterval(() => this.draw(), redrawEveryMs);
        break;
      case 'job-start':
        this.jobs.set(event.job, new JobProgress(event.label, this.now()));
        break;
      case 'job-progress':
        this.jobs.get(event.job)?.update(event.progress, this.now());
        break;
      case 'job-done':
        this.finished++;
        this.jobs.delete(event.job);
        this.scroll(`${this.paint('green', '✓')} ${event.label}  ${formatDuration(event.seconds)}`);
        break;
      case 'job-failed':
        this.failed++;
        this.jobs.delete(event.job);
        this.scroll(
          `${this.paint('red', '✗')} ${event.label}: ${event.reason}\n  ${this.paint('dim', event.log)}`,
        );
        break;
      case 'job-stopped':
        this.jobs.delete(event.job);
        this.scroll(`${this.paint('yellow', '■')} ${event.label}: stopped`);
        break;
      case 'stage-skipped':
        this.total -= event.jobs;
        this.scroll(`${this.paint('dim', '-')} ${event.label}: skipped, ${event.why}`);
        break;
      case 'note':
        this.scroll(this.paint('dim', event.text));
        break;
      case 'end':
        clearInterval(this.timer);
        this.terminal.write(this.erase());
        this.drawnLines = 0;
    }
  }

  /** What is redrawn: the jobs, then the whole; each one line that fits the terminal. */
  lines(): string[] {
    // The last column stays free: some terminals wrap when it is written.
    const width = Math.max(20, this.terminal.columns() - 1);
    const now = this.now();
    return [
      ...[...this.jobs.values()].map((job) => this.jobLine(job, width, now)),
      this.wholeLine(width, now),
    ];
  }

  private jobLine(job: JobProgress, width: number, now: number): string {
    const label = cutMiddle(job.label, Math.min(labelWidth, Math.floor(width / 2)));
    const bar = formatBar(job.fraction, Math.min(barWidth, Math.max(0, width - label.length - 10)));
    const facts = job.facts(now);
    const text = () =>
      `${label.padEnd(Math.min(labelWidth, Math.floor(width / 2)))} ${bar} ${facts.join('  ')}`;
    while (facts.length > 1 && text().length > width) facts.pop();
    return cut(text(), width).replace(bar, (drawn) => this.paint('cyan', drawn));
  }

  private wholeLine(width: number, now: number): string {
    if (!this.start) return '';
    const { experiment } = this.start;
    const left = this.remaining.seconds(now);
    const elapsed = formatDuration((now - this.startedAtMs) / 1000);
    const facts = [
      `${experiment}: ${this.finished} of ${plural(this.total, 'job')}`,
      ...(this.failed > 0 ? [`${this.failed} failed`] : []),
      left === undefined ? elapsed : `${elapsed}, about ${formatDuration(left)} left`,
    ];
    return this.paint('bold', cut(facts.join('  '), width));
  }

  private draw(): void {
    const lines = this.lines();
    this.terminal.write(`${this.erase()}${lines.join('\n')}\n`);
    this.drawnLines = lines.length;
  }

  /** Prints above what is redrawn. */
  private scroll(text: string): void {
    this.terminal.write(`${this.erase()}${text}\n`);
    this.drawnLines = 0;
    this.draw();
  }

  /** Moves to the first redrawn line and clears from there on. */
  private erase(): string {
    return this.drawnLines > 0 ? `\x1b[${this.drawnLines}A\x1b[J` : '';
  }

  private paint(style: Style, text: string): string {
    return this.terminal.color ? styleText(style, text, { validateStream: false }) : text;
  }
}
