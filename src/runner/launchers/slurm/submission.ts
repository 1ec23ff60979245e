/**
 * What is kept of jobs, in `slurm/` of the store. Each time that jobs are submitted they get a folder of their own, `<number>/`: `submission.json`
 * says what the jobs compute, `<array>.sh` are the scripts, `logs/` is what they print and `events/` what they report. A job is found in the
 * queue by its name, `exp-<experiment>-<hash of the store>.<number>.<array>`, so that nothing else has to be remembered, and whichever plan it
 * was submitted for.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { readJson, writeJson, writeSafely } from '../../../base/files.ts';
import type { Plan } from '../../../experiment/types.ts';
import type { Store } from '../../store.ts';
import type { Task } from './arrays.ts';
import { pad } from './script.ts';

/** What every job of a submission reads. */
export interface Submission {
  plan: Plan;
  /** By which the store knows the plan. */
  planId: string;
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

/** All submissions of the plans of one store. */
export class Submissions {
  readonly folder: string;
  private readonly hash: string;

  constructor(store: Store) {
    this.folder = join(store.root, 'slurm');
    const root = existsSync(store.root) ? realpathSync(store.root) : store.root;
    this.hash = new Bun.CryptoHasher('sha256').update(root).digest('hex').slice(0, 8);
  }

  /** Whether jobs were ever submitted. */
  get exists(): boolean {
    return existsSync(this.folder);
  }

  /** Under which one process at a time submits. */
  get lease(): string {
    return join(this.folder, 'submit.lease');
  }

  numbers(): number[] {
    const names = this.exists ? readdirSync(this.folder) : [];
    return names.filter((name) => /^\d+$/.test(name)).map(Number);
  }

  /** Numbers of the users who submitted them, and of this one. Only their jobs can be of this store. */
  users(): number[] {
    const owners = this.numbers().flatMap(
      (number) => statSync(this.folderOf(number), { throwIfNoEntry: false })?.uid ?? [],
    );
    return [...new Set([userInfo().uid, ...owners])];
  }

  folderOf(number: number): string {
    return join(this.folder, String(number));
  }

  /** The number of the next one. None is used twice: a process may still know the jobs of one that was removed. */
  next(): number {
    const last = existsSync(this.lastPath) ? Number(readFileSync(this.lastPath, 'utf8')) : 0;
    return Math.max(last, ...this.numbers()) + 1;
  }

  private get lastPath(): string {
    return join(this.folder, 'last');
  }

  async write(number: number, submission: Submission, scripts: readonly string[]): Promise<void> {
    const folder = this.folderOf(number);
    await writeSafely(this.lastPath, String(number));
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

  jobName(experiment: string, number: number, array: number): string {
    return `exp-${experiment}-${this.hash}.${number}.${pad(array)}`;
  }

  /** The numbers of submission and array in the name of a job; undefined if that is of another store, or of something else. */
  placeOf(jobName: string): { number: number; array: number } | undefined {
    const found = /^exp-.*-([0-9a-f]{8})\.(\d+)\.(\d+)$/.exec(jobName);
    return found?.[1] === this.hash ? { number: Number(found[2]), array: Number(found[3]) } : undefined;
  }

  /** Removes what is kept of a submission. */
  remove(number: number): void {
    rmSync(this.folderOf(number), { recursive: true, force: true });
  }

  /** Notes for processes that submit or watch the jobs of a plan that these are cancelled on purpose. */
  noteCancellation(planId: string): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(this.cancellationPath(planId), crypto.randomUUID());
  }

  /** The note of the last time; empty where there is none. */
  lastCancellation(planId: string): string {
    const path = this.cancellationPath(planId);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  private cancellationPath(planId: string): string {
    return join(this.folder, `${planId}.cancelled`);
  }
}
