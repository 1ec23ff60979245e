/**
 * What is kept of the jobs of a plan, in `slurm/<plan>/` of the store. Each time that jobs are submitted they get a folder of their own,
 * `<number>/`: `submission.json` says what the jobs compute, `<array>.sh` are the scripts, `logs/` is what they print and `events/` what they
 * report. A job is found in the queue by its name, `exp-<experiment>-<hash>.<number>.<array>`, so that nothing else has to be remembered.
 */
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeJson, writeSafely } from '../../../base/files.ts';
import type { Plan } from '../../../experiment/types.ts';
import type { Store } from '../../store.ts';
import type { Task } from './arrays.ts';
import { pad } from './script.ts';

/** What every job of a submission reads. */
export interface Submission {
  plan: Plan;
  storeRoot: string;
  device: string;
  dataDir: string | undefined;
  stagesModule: string;
  /** Seconds that stages are expected to take, by key. */
  expected: Record<string, number>;
  /** By array and index. */
  tasks: Task[][][];
}

const recordName = 'submission.json';

export const readSubmission = async (folder: string): Promise<Submission> =>
  (await readJson(join(folder, recordName))) as Submission;

/** Where a job reports what it does, one event per line. */
export const eventsPath = (folder: string, array: number, index: number): string =>
  join(folder, 'events', `${pad(array)}_${index}.jsonl`);

/** All submissions of one plan. */
export class Submissions {
  readonly folder: string;
  /** With which the names of its jobs begin. */
  readonly prefix: string;

  constructor(store: Store, name: string, planId: string) {
    this.folder = join(store.root, 'slurm', planId);
    const root = existsSync(store.root) ? realpathSync(store.root) : store.root;
    const hash = new Bun.CryptoHasher('sha256').update(`${root}\n${planId}`).digest('hex');
    this.prefix = `exp-${name}-${hash.slice(0, 8)}.`;
  }

  /** Whether jobs were ever submitted. */
  get exists(): boolean {
    return existsSync(this.folder);
  }

  /** Under which one process at a time submits. */
  get lease(): string {
    return `${this.folder}.lease`;
  }

  numbers(): number[] {
    const names = this.exists ? readdirSync(this.folder) : [];
    return names.filter((name) => /^\d+$/.test(name)).map(Number);
  }

  folderOf(number: number): string {
    return join(this.folder, String(number));
  }

  /** The number of the next one. */
  next(): number {
    return Math.max(0, ...this.numbers()) + 1;
  }

  async write(number: number, submission: Submission, scripts: readonly string[]): Promise<void> {
    const folder = this.folderOf(number);
    for (const name of ['logs', 'events']) mkdirSync(join(folder, name), { recursive: true });
    await writeJson(join(folder, recordName), submission);
    for (const [array, script] of scripts.entries())
      await writeSafely(this.scriptPath(number, array), script);
  }

  async read(number: number): Promise<Submission | undefined> {
    const folder = this.folderOf(number);
    return existsSync(join(folder, recordName)) ? readSubmission(folder) : undefined;
  }

  scriptPath(number: number, array: number): string {
    return join(this.folderOf(number), `${pad(array)}.sh`);
  }

  jobName(number: number, array: number): string {
    return `${this.prefix}${number}.${pad(array)}`;
  }

  /** Removes what is kept of those submissions. */
  remove(numbers: readonly number[]): void {
    for (const number of numbers) rmSync(this.folderOf(number), { recursive: true, force: true });
  }

  /** Notes for processes that watch the jobs that these were cancelled on purpose, or no longer are. */
  set cancelled(is: boolean) {
    const path = join(this.folder, 'cancelled');
    if (is) writeFileSync(path, '');
    else rmSync(path, { force: true });
  }

  get cancelled(): boolean {
    return existsSync(join(this.folder, 'cancelled'));
  }
}
