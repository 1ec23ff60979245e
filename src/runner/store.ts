/**
 * The folder of all artefacts, `<stage>/<key>/` each. Folders are the truth: an artefact is there if its folder is, and a
 * folder has its name only when it is complete. Beside it, while it is computed: `<key>.partial/` and `<key>.lease/` (of a part that is computed
 * on its own, `<key>.part-<n>.partial/` and so on); after a
 * failure: `<key>.failed.json`; set aside because a file was missing or wrong: `<key>.damaged/`; by which it is known that nobody wrote to it since:
 * `<key>.verified.json`. Machines that share a file system may share a store.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asStorageError, type StorageError } from '../base/file-errors.ts';
import { removeLeftovers, writeJson } from '../base/files.ts';
import type { StageNode } from '../experiment/types.ts';
import { type ArtefactRecord, inspect, seal, syncFolder } from './artefact.ts';
import { partialEnding, takeWork } from './partial.ts';
import { remember, verifiedPath, verify } from './verify.ts';

/** What stands behind a key in the name of the account of a failure. */
export const failedSuffix = '.failed.json';

type StageId = Pick<StageNode, 'stage' | 'key'>;

export type Found =
  | { state: 'complete'; dir: string; record: ArtefactRecord }
  | { state: 'damaged'; dir: string; damage: string };

/** Why a stage could not be computed. */
export interface Failure {
  /** One line or more. */
  reason: string;
  /** File that holds what the job printed, its stack trace too. */
  log: string;
}

/** How long a network file system may not show what another machine wrote. */
const lateMs = 5000;
const lookAgainMs = 250;

const partEnding = (part: number | undefined) => (part === undefined ? '' : `.part-${part + 1}`);

export class Store {
  constructor(readonly root: string) {}

  /** Where the artefact is, or would be. */
  folder({ stage, key }: StageId): string {
    return join(this.root, stage, key);
  }

  /** Where its files are while it is computed, in a folder of whoever computes it; or those of one part (0-based), where that has a job of its own. */
  partial(stage: StageId, part?: number): string {
    return this.folder(stage) + partEnding(part) + partialEnding;
  }

  /** Of the whole stage, or of one part. */
  lease(stage: StageId, part?: number): string {
    return `${this.folder(stage)}${partEnding(part)}.lease`;
  }

  log({ stage, key }: StageId, part?: number): string {
    return join(this.root, 'logs', stage, part === undefined ? `${key}.log` : `${key}-part-${part + 1}.log`);
  }

  /** The artefact of a stage, checked by the names and sizes of its files; undefined if there is none. */
  find(stage: StageId): Found | undefined {
    const dir = this.folder(stage);
    if (!existsSync(dir)) return undefined;
    const found = inspect(dir);
    return 'damage' in found
      ? { state: 'damaged', dir, damage: found.damage }
      : { state: 'complete', dir, record: found.record };
  }

  /** As `find`, and files that were touched since they were written or last checked are compared with their sums. */
  async check(stage: StageId): Promise<Found | undefined> {
    const found = this.find(stage);
    if (found?.state !== 'complete') return found;
    const damage = await verify(found.dir);
    return damage === undefined ? found : { state: 'damaged', dir: found.dir, damage };
  }

  /** As `check`, of what another machine may have finished just now, which can be seen here some seconds late, or in part at first. */
  async checkLate(stage: StageId): Promise<Found | undefined> {
    for (const begin = performance.now(); ; await Bun.sleep(lookAgainMs)) {
      const found = await this.check(stage);
      if (found?.state === 'complete' || performance.now() - begin > lateMs) return found;
    }
  }

  /** Whether interrupted work of the stage is there to resume. */
  isBegun(stage: StageId): boolean {
    return existsSync(this.partial(stage));
  }

  /**
   * Makes the folder that the stage works in, with what was begun, and forgets its earlier failure. A damaged artefact in its place is set
   * aside. Needs the stage's lease; whoever lost it can write to the stage no more.
   */
  async begin(stage: StageId): Promise<{ dir: string; resumed: boolean }> {
    const work = await takeWork(this.partial(stage));
    const dir = this.folder(stage);
    const found = await this.check(stage);
    if (found?.state === 'damaged') {
      await rm(`${dir}.damaged`, { recursive: true, force: true });
      await rename(dir, `${dir}.damaged`);
    }
    if (found?.state !== 'complete') await rm(verifiedPath(dir), { force: true });
    await rm(this.failurePath(stage), { force: true });
    return work;
  }

  /** Makes `work`, the folder that the stage worked in, its artefact. */
  async commit(stage: StageId, work: string, record: Omit<ArtefactRecord, 'files'>): Promise<void> {
    const dir = this.folder(stage);
    const verified = await seal(work, record);
    try {
      await rename(work, dir);
    } catch (error) {
      // A process that lost the lease may have finished the same before.
      if ((await this.check(stage))?.state !== 'complete') throw error;
      return rm(dirname(work), { recursive: true, force: true });
    }
    await rmdir(dirname(work)).catch(() => {});
    await syncFolder(dirname(dir));
    await remember(dir, verified);
  }

  /** The failure that the stage ended in when it was last computed. One that cannot be read counts as none: the stage is tried again. */
  failure(stage: StageId): Failure | undefined {
    // Of most stages there is none, and an error takes long to make.
    if (!existsSync(this.failurePath(stage))) return undefined;
    try {
      const failure = JSON.parse(readFileSync(this.failurePath(stage), 'utf8'));
      return typeof failure?.reason === 'string' && typeof failure.log === 'string' ? failure : undefined;
    } catch {
      return undefined;
    }
  }

  recordFailure(stage: StageId, failure: Failure): Promise<void> {
    return writeJson(this.failurePath(stage), failure);
  }

  failurePath(stage: StageId): string {
    return this.folder(stage) + failedSuffix;
  }

  /** The system's refusal to read or write the store, for people. Throws any other error on. */
  refused(error: unknown): StorageError {
    return asStorageError(`the store ${this.root} cannot be used`, error, '--store');
  }

  /** Removes what killed writers left beside the artefacts of these stages; what they left in them goes when the stage is computed. */
  async removeLeftovers(stages: readonly string[]): Promise<void> {
    for (const name of ['plans', ...stages]) {
      const folder = join(this.root, name);
      await removeLeftovers(folder);
      const partial = existsSync(folder)
        ? readdirSync(folder).filter((one) => one.endsWith(partialEnding))
        : [];
      // One that has work in it stays.
      for (const one of partial) await rmdir(join(folder, one)).catch(() => {});
    }
  }

  /** What is in the folder of a stage's artefacts: names of these, and of what is beside them. Throws a StorageError if it cannot be read. */
  names(stage: string): ReadonlySet<string> {
    const folder = join(this.root, stage);
    try {
      return new Set(existsSync(folder) ? readdirSync(folder) : []);
    } catch (error) {
      throw this.refused(error);
    }
  }

  /** Every artefact of these stages, damaged ones too. */
  list(stages: readonly string[]): Found[] {
    return stages.flatMap((stage) => {
      const keys = [...this.names(stage)].filter((name) => !name.includes('.'));
      return keys.flatMap((key) => this.find({ stage, key }) ?? []);
    });
  }
}
