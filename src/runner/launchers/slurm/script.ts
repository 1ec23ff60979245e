/** The script of a job array, as text. */
import { fileURLToPath } from 'node:url';
import type { JobArray } from './arrays.ts';

/** What a job runs: computes the tasks of its index. */
const taskProgram = fileURLToPath(new URL('./task.ts', import.meta.url));

/** Before its time is up, a job gets a signal, and requeues itself. A worker is gone some seconds later. */
const warnSeconds = 60;

const headroom = { factor: 3, seconds: 300 };

export interface ScriptOptions {
  /** Of the submission: where the job finds its tasks, and leaves what it reports. */
  folder: string;
  /** Number of the array in its submission. */
  number: number;
  jobName: string;
  /** Readable names of the stages, for people. */
  labels: readonly string[];
  atOnce: number | undefined;
  setup: readonly string[];
}

/** Its labels are cut and counted. */
const shownLabels = 10;

export function scriptOf({ jobs, resources, after }: JobArray, options: ScriptOptions): string {
  const { folder, number, jobName, labels, atOnce, setup } = options;
  const { partition, account, memory, cpus, gpus } = resources;
  const time = resources.time ?? timeLimit(jobs.map(({ seconds }) => seconds));
  const given: [string, string | number | null][] = [
    ['job-name', jobName],
    ['partition', partition],
    ['account', account],
    ['ntasks', 1],
    ['cpus-per-task', cpus],
    ['mem', memory],
    ['gres', gpus > 0 ? `gpu:${gpus}` : null],
    ['time', time],
    ['array', `0-${jobs.length - 1}${atOnce ? `%${atOnce}` : ''}`],
    ['signal', `B:USR1@${warnSeconds}`],
    ['open-mode', 'append'],
    ['output', logPath(folder.replaceAll('%', '%%'), number, '%a')],
  ];
  const directives = given.flatMap(([name, value]) =>
    value === null ? [] : `#SBATCH --${name}=${quoteDirective(value)}`,
  );
  const more = labels.length > shownLabels ? [`# and ${labels.length - shownLabels} more`] : [];
  const waits = [
    ...new Set(after.map((one) => ('queued' in one ? `job ${one.queued}` : pad(one.array)))),
  ].sort();
  return [
    '#!/bin/bash',
    ...labels.slice(0, shownLabels).map((label) => `# ${label.replaceAll('\n', ' ')}`),
    ...more,
    ...(waits.length > 0 ? [`# after ${waits.join(', ')}`] : []),
    ...directives,
    '#SBATCH --requeue',
    'set -e',
    ...setup,
    `exec ${[process.execPath, taskProgram, folder, number].map(quote).join(' ')}`,
    '',
  ].join('\n');
}

/** `03`. */
export const pad = (number: number) => String(number).padStart(2, '0');

/** What a job prints, before its program starts or where that crashes. */
export const logPath = (folder: string, array: number, index: number | string) =>
  `${folder}/logs/${pad(array)}_${index}.log`;

/** `--time` for jobs that are expected to take so many seconds, in minutes; null, the partition's, where nothing is known of one. */
function timeLimit(expected: readonly (number | null)[]): string | null {
  if (expected.includes(null)) return null;
  const longest = Math.max(...expected.map(Number));
  return String(Math.ceil((longest * headroom.factor + headroom.seconds) / 60));
}

const isPlain = (word: string | number) => /^[\w.,/:=%-]+$/.test(String(word));

/** A word of a shell command. */
const quote = (word: string | number) =>
  isPlain(word) ? word : `'${String(word).replaceAll("'", "'\\''")}'`;

/** A value in a line of sbatch, which ends it at a blank and knows no `'\''`. */
const quoteDirective = (value: string | number) =>
  isPlain(value) ? value : `"${String(value).replaceAll(/["\\]/g, '\\$&')}"`;
