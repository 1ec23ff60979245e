/**
 * The right to do one piece of work (compute a stage, fetch a file), held by one process at a time, on one machine or on several that share a
 * file system. A lease is a folder with a file for each process that it belongs to: the holder, and workers that joined it. It is taken by
 * renaming a folder that has the own file to its path, which a file system does only where there is none yet or an empty one, and it is free
 * when the folder is empty. No file's name is used twice, so that what a paused process does late, to its own file or to that of
 * one it found dead, does nothing to the next holder.
 *
 * Of this machine's processes the system says at once which are dead. Those of another machine are alive as long as their files change: each
 * touches its own every few seconds, and who looks counts by its own clock how long nothing changed. Clocks are never compared.
 */
import { mkdirSync, renameSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { temporaryPath } from './files.ts';
import {
  filesOf,
  hasCode,
  isMissing,
  type LeaseOwner,
  look,
  readMember,
  remove,
  touchMs,
} from './lease-files.ts';
import { isAlive, thisProcess } from './processes.ts';

/** What a worker joins. */
export interface LeaseName {
  path: string;
  /** The holder's file in it. */
  holder: string;
}

const lookAgainMs = 300;

/** Those of this process. */
const held = new Set<Lease>();

/** Gives back what the process still has when it exits. */
function releaseAll(): void {
  for (const lease of held) lease.release();
}

export class Lease {
  private readonly losing = new AbortController();
  private readonly file: string;
  private touchedAt = Date.now();
  private timer: Timer | undefined;

  private constructor(
    private readonly path: string,
    id: string,
    private readonly holder: string,
  ) {
    this.file = join(path, id);
    if (!process.listeners('exit').includes(releaseAll)) process.on('exit', releaseAll);
    held.add(this);
    this.touchLater();
  }

  /** Takes the lease of that path, or returns undefined while another holds it. Does not wait. */
  static take(path: string): Lease | undefined {
    const { state, files } = look(path);
    if (state !== 'free') return undefined;
    for (const file of files) remove(file);
    const id = crypto.randomUUID();
    const own = temporaryPath(path);
    mkdirSync(own);
    try {
      writeFileSync(join(own, id), describeSelf({}));
      renameSync(own, path);
    } catch (error) {
      rmSync(own, { recursive: true, force: true });
      if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return undefined;
      // Over a network, an answer can be lost and the request be repeated.
      if (!touch(join(path, id))) throw error;
    }
    return new Lease(path, id, id);
  }

  /** As `take`, but of a holder on another machine it waits to see whether that still lives. Undefined if it does. */
  static async takeFromDead(path: string): Promise<Lease | undefined> {
    for (;;) {
      const lease = Lease.take(path);
      if (lease || look(path).state === 'held') return lease;
      await Bun.sleep(lookAgainMs);
    }
  }

  /** Makes this process one that the lease belongs to: it is not free before both have ended. Undefined if the holder has lost it. */
  static join({ path, holder }: LeaseName): Lease | undefined {
    const id = crypto.randomUUID();
    try {
      writeFileSync(join(path, id), describeSelf({ joined: true }), { flag: 'wx' });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    // Whoever takes the lease removes the holder's file first, and cannot then while this process's is there.
    const lease = new Lease(path, id, holder);
    if (touch(join(path, holder))) return lease;
    lease.release();
    return undefined;
  }

  /** For workers to join it. */
  get name(): LeaseName {
    return { path: this.path, holder: this.holder };
  }

  /** Aborted when another process has taken it over, because this one was not seen alive for too long. */
  get lost(): AbortSignal {
    return this.losing.signal;
  }

  /** Whether this process still has it, by the file system. */
  check(): boolean {
    if (!this.lost.aborted && !touch(this.file)) this.losing.abort();
    return !this.lost.aborted;
  }

  /** Gives the lease back; workers that joined it have it until they end. */
  release(): void {
    clearTimeout(this.timer);
    held.delete(this);
    remove(this.file);
    const { state, files } = look(this.path);
    if (state !== 'free') return;
    for (const file of files) remove(file);
    try {
      rmdirSync(this.path);
    } catch (error) {
      // It has gone, or is another's.
      if (!isMissing(error) && !hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EBUSY')) throw error;
    }
  }

  /** Keeps its file changing. A system that does not answer for long may make it lose the lease, not end. */
  private touchLater(): void {
    this.timer = setTimeout(async () => {
      // By more than the file system's resolution, whatever happens to the clock.
      this.touchedAt = Math.max(Date.now(), this.touchedAt + 1000);
      const seconds = this.touchedAt / 1000;
      await utimes(this.file, seconds, seconds).catch((error) => {
        if (isMissing(error) && held.has(this)) this.losing.abort();
      });
      if (held.has(this) && !this.lost.aborted) this.touchLater();
    }, touchMs());
    this.timer.unref();
  }
}

const describeSelf = (role: Pick<LeaseOwner, 'joined'>): string =>
  JSON.stringify({
    ...thisProcess(),
    ...{ host: hostname(), since: new Date().toISOString() },
    ...role,
  } satisfies LeaseOwner);

/** Changes the time of a file, which asks the file system itself and no memory of it; returns whether the file is there. */
function touch(file: string): boolean {
  const now = new Date();
  try {
    utimesSync(file, now, now);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Whether a process holds the lease of that path now; of one on another machine, whether it did not give it back. */
export const isHeld = (path: string): boolean => look(path).state !== 'free';

/** ` (process 42 on host)`, who holds the lease, for messages; empty where it is not known. */
export function describeOwner(path: string): string {
  const owner = leaseOwner(path);
  return owner ? ` (process ${owner.pid} on ${owner.host})` : '';
}

/** Who has the lease: the holder, or a worker that outlived it. Undefined if nobody has it. */
export function leaseOwner(path: string): LeaseOwner | undefined {
  const owners = filesOf(path)
    .flatMap((file) => readMember(file)?.owner ?? [])
    .filter((owner) => isAlive(owner) !== false);
  return owners.find(({ joined }) => !joined) ?? owners[0];
}

/** Whether a process of which this machine does not know has the lease, as one on another machine. */
export function isHeldElsewhere(path: string): boolean {
  const owner = leaseOwner(path);
  return owner !== undefined && isAlive(owner) === undefined;
}
