/** Texts of progress: durations, bars, rates. */
import type { Progress } from '../../base/progress.ts';

const day = 86_400;

/** `3.2 s`, `1:05 min`, `2:03:10 h`, `12 days`, `5 months`, `9 years`. */
export function formatDuration(seconds: number): string {
  if (seconds >= 730 * day) return `${Math.round(seconds / (365 * day))} years`;
  if (seconds >= 60 * day) return `${Math.round(seconds / (30.4 * day))} months`;
  if (seconds >= 2 * day) return `${Math.round(seconds / day)} days`;
  if (seconds < 60) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)} h` : `${minutes}:${two(rest)} min`;
}

/** Three significant digits, and no exponent where there need not be one. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  return size >= 1000 && size < 1e9 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** `━━━━━───`: how much of `width` characters is done. */
export function formatBar(fraction: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return '━'.repeat(full) + '─'.repeat(width - full);
}

/** What a job has done, and since when. Work of an earlier, interrupted run does not count towards its rate. */
export class JobProgress {
  private first: { done: number; atMs: number } | undefined;
  progress: Progress | undefined;

  constructor(
    readonly label: string,
    readonly startedAtMs: number,
  ) {}

  update(progress: Progress, nowMs: number): void {
    // Another unit is another piece of work, whose speed is measured anew.
    if (progress.unit !== this.progress?.unit) this.first = { done: progress.done, atMs: nowMs };
    this.progress = progress;
  }

  /** Units per second, or undefined while that is not known. */
  rate(nowMs: number): number | undefined {
    if (!this.first || !this.progress) return undefined;
    const [units, seconds] = [this.progress.done - this.first.done, (nowMs - this.first.atMs) / 1000];
    return units > 0 && seconds > 0 ? units / seconds : undefined;
  }

  /** What to show, the least important last. */
  facts(nowMs: number): string[] {
    if (!this.progress) return [formatDuration((nowMs - this.startedAtMs) / 1000)];
    const { done, total, unit, metric } = this.progress;
    const rate = this.rate(nowMs);
    return [
      `${Math.floor((100 * done) / Math.max(total, 1))}%`,
      ...(rate === undefined ? [] : [`${formatDuration((total - done) / rate)} left`]),
      ...(metric ? [`${metric.name} ${formatNumber(metric.value)}`] : []),
      ...(rate === undefined ? [] : [`${formatNumber(rate)} ${unit}/s`]),
    ];
  }

  get fraction(): number {
    return this.progress ? this.progress.done / Math.max(this.progress.total, 1) : 0;
  }
}

/** The text, cut to a width with an ellipsis. */
export function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** The text, cut to a width in its middle: labels differ at their ends. */
export function cutMiddle(text: string, width: number): string {
  const characters = [...text];
  if (characters.length <= width) return text;
  const tail = Math.floor((2 * width) / 3);
  return `${characters.slice(0, Math.max(0, width - tail - 1)).join('')}…${characters.slice(-tail).join('')}`;
}
