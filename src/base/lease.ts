/**
 * The right to do one piece of work (compute a stage, fetch a file), held by one process at a time. It is a lock of the operating system
 * (flock) on a file, which the workers of a stage inherit: it is free again when the holder and its workers are gone, however they went.
 */
import { dlopen } from 'bun:ffi';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { StorageError } from './file-errors.ts';

/** Who holds a lease, for messages only: the lock itself is what counts. */
export interface LeaseOwner {
  pid: number;
  host: string;
  since: string;
}

const shared = 1;
const exclusive = 2;
const nonBlocking = 4;

const libraries: Record<string, readonly string[]> = {
  darwin: ['libSystem.B.dylib'],
  linux: ['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1'],
};

let flock: ((fd: number, operation: number) => number) | undefined;

/** The C library's flock, which Bun has no function for. */
function loadFlock(): (fd: number, operation: number) => number {
  for (const name of libraries[process.platform] ?? []) {
    try {
      return dlopen(name, { flock: { args: ['i32', 'i32'], returns: 'i32' } }).symbols.flock;
    } catch {
      // Another C library has another name.
    }
  }
  throw new Error(
    `no file locks on ${process.platform}: experiments run on Linux and macOS (on Windows, in WSL)`,
  );
}

export class Lease {
  private constructor(
    /** Open file that the lock belongs to, for workers to inherit. */
    readonly fd: number,
    private readonly path: string,
  ) {}

  /** Takes the lease of that path, or returns undefined while another holds it. Does not wait. */
  static take(path: string): Lease | undefined {
    flock ??= loadFlock();
    for (;;) {
      const fd = openSync(path, 'a+');
      if (flock(fd, exclusive | nonBlocking) !== 0) {
        closeSync(fd);
        return undefined;
      }
      if (isAt(fd, path)) {
        writeOwner(fd);
        return new Lease(fd, path);
      }
      // The earlier holder removed this file after we opened it; the lock that counts is on the next one.
      closeSync(fd);
    }
  }

  /** Gives the lease back. */
  release(): void {
    rmSync(this.path, { force: true });
    closeSync(this.fd);
  }
}

/** Whether a process holds the lease of that path now. */
export function isHeld(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return false;
  }
  flock ??= loadFlock();
  const held = flock(fd, shared | nonBlocking) !== 0;
  closeSync(fd);
  return held;
}

/** For messages only, so that a full disk is no reason not to hold the lease. */
function writeOwner(fd: number): void {
  const owner: LeaseOwner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  try {
    ftruncateSync(fd);
    writeSync(fd, JSON.stringify(owner));
  } catch {
    // Whoever waits is not told for whom.
  }
}

/** ` (process 42 on host)`, who wrote the lease last, for messages; empty where it is not known. */
export function describeOwner(path: string): string {
  const owner = leaseOwner(path);
  return owner ? ` (process ${owner.pid} on ${owner.host})` : '';
}

/** Who wrote the lease last; undefined if there is none, or it is just being written. */
export function leaseOwner(path: string): LeaseOwner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Throws unless locks work in this folder (some network file systems have none). `option` is what names another. */
export function checkLeases(folder: string, option: string): void {
  flock ??= loadFlock();
  // Always of the same name, so that nothing adds up where a process is killed here; others may hold it at the same time.
  const path = `${folder}/lock-check`;
  const fd = openSync(path, 'a+');
  const works = flock(fd, shared | nonBlocking) === 0;
  rmSync(path, { force: true });
  closeSync(fd);
  if (!works)
    throw new StorageError(
      `file locks do not work in ${folder}: name a folder on a local disk with ${option}`,
    );
}

/** Whether the open file is the one that the path leads to. */
function isAt(fd: number, path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
}
