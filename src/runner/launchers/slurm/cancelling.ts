/** Which jobs are cancelled with an experiment: its own, but those that compute what jobs of other experiments in the queue wait for. */
import { plural } from '../../../base/plural.ts';
import type { LiveJob } from './jobs.ts';

export interface ChosenJobs {
  cancelled: LiveJob[];
  /** Those that stay, and the names of the experiments that need them. */
  needed: LiveJob[];
  neededBy: string[];
  /** Those that other users submitted, who alone can cancel them. */
  foreign: LiveJob[];
}

export interface ChooseOptions {
  /** Whether a job is the experiment's. */
  isChosen(job: LiveJob): boolean;
  /** Whether a stage is done: what a job did before does not keep it. */
  isDone(key: string): boolean;
  /** Whether jobs are cancelled, too, that others need. */
  shared?: boolean;
}

/** Of the jobs in the queue, those of an experiment, by whether they are to be cancelled. */
export function chooseJobs(
  queue: readonly LiveJob[],
  { isChosen, isDone, shared = false }: ChooseOptions,
): ChosenJobs {
  const chosen = queue.filter(isChosen);
  const plans = new Set(queue.filter((job) => !isChosen(job)).flatMap(({ plan }) => plan ?? []));
  const readers = ({ tasks }: LiveJob) =>
    [...plans].filter(({ keys }) => tasks.some(({ key }) => keys.has(key) && !isDone(key)));
  const own = chosen.filter(({ isOwn }) => isOwn);
  const foreign = chosen.filter(({ isOwn }) => !isOwn);
  const needed = shared ? [] : own.filter((job) => readers(job).length > 0);
  const neededBy = [...new Set(needed.flatMap((job) => readers(job).map(({ name }) => name)))].sort();
  return { cancelled: own.filter((job) => !needed.includes(job)), needed, neededBy, foreign };
}

const list = new Intl.ListFormat('en-GB');

/** What stays in the queue and why, for people, a line each. */
export function describeLeft({ needed, neededBy, foreign }: ChosenJobs): string[] {
  const lines: string[] = [];
  const left = ({ length }: readonly LiveJob[]) => `${plural(length, 'job')} left in the queue`;
  if (needed.length > 0)
    lines.push(`${left(needed)}, needed by ${list.format(neededBy)}; exp cancel --shared cancels all`);
  if (foreign.length > 0) lines.push(`${left(foreign)}, submitted by another user`);
  return lines;
}
