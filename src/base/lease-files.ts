/** What lies in the folder of a lease, and whether the processes that it belongs to are alive. lease.ts says how a lease works. */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive, type ProcessIdentity, thisMachine } from './processes.ts';

/** A process that a lease belongs to. */
export interface LeaseOwner extends ProcessIdentity {
  host: string;
  since: string;
  /** Whether it is a worker of the holder. */
  joined?: boolean;
}

/** How long the files of a lease on another machine stay unchanged until their processes count as dead; processes touch them six times as often. */
const staleMs = (): number => {
  const seconds = Number(process.env.EXP_LEASE_SECONDS);
  return 1000 * (seconds > 0 ? seconds : 60);
};
export const touchMs = (): number => staleMs() / 6;

/** Of the time between two looks at a lease, no more than this counts: the process that looks, or its file system, may have stood still. */
const longestLookMs = 1000;

/** What the system says of a file that another machine removed or replaced. */
export const isMissing = (error: unknown) => hasCode(error, 'ENOENT', 'ESTALE');

export const hasCode = (error: unknown, ...codes: string[]) =>
  codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** Removes a file of a lease, if it is there. */
export function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    // A lease of an earlier version was a file, in whose place there may be a folder meanwhile.
    if (!isMissing(error) && !hasCode(error, 'EISDIR')) throw error;
  }
}

/** The files of a lease. One of an earlier version is itself a file. */
export function filesOf(path: string): string[] {
  try {
    return readdirSync(path).map((name) => join(path, name));
  } catch (error) {
    if (isMissing(error)) return [];
    if (hasCode(error, 'ENOTDIR')) return [path];
    throw error;
  }
}

/** A file of a lease, and when it changed; undefined if there is none any more. Opening it asks a network file system for the time as it is now. */
export function readMember(file: string): { owner: LeaseOwner | undefined; changed: number } | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return { owner: parseOwner(readFileSync(fd, 'utf8')), changed: fstatSync(fd).mtimeMs };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Undefined for what is being written, or is damaged. */
function parseOwner(text: string): LeaseOwner | undefined {
  try {
    const owner = JSON.parse(text) as LeaseOwner;
    // Earlier versions wrote no machine.
    return owner.machine === undefined && owner.host === hostname()
      ? { ...owner, machine: thisMachine() }
      : owner;
  } catch {
    return undefined;
  }
}

/** `unknown`: on another machine, and not watched long enough to say. */
type LeaseState = 'free' | 'held' | 'unknown';

/** Whether a lease is free, and then the files that the dead left in it. */
export function look(path: string): { state: LeaseState; files: string[] } {
  const files = filesOf(path);
  const elsewhere: string[] = [];
  for (const file of files) {
    const member = readMember(file);
    if (!member) continue;
    const alive = member.owner && isAlive(member.owner);
    if (alive) return { state: 'held', files };
    if (alive === undefined) elsewhere.push(`${file} ${member.changed}`);
  }
  return { state: elsewhere.length > 0 ? watch(path, elsewhere.join()) : 'free', files };
}

/** What this process saw of a lease on another machine. */
interface Watch {
  seen: string;
  at: number;
  unchangedMs: number;
  /** Whether it changed at all since this process first looked. */
  changed: boolean;
}

const watched = new Map<string, Watch>();

function watch(path: string, seen: string): LeaseState {
  const at = performance.now();
  const last = watched.get(path);
  const same = last?.seen === seen;
  const unchangedMs = same ? last.unchangedMs + Math.min(at - last.at, longestLookMs) : 0;
  const changed = last !== undefined && (last.changed || !same);
  watched.set(path, { seen, at, unchangedMs, changed });
  if (unchangedMs >= staleMs()) return 'free';
  return changed ? 'held' : 'unknown';
}
