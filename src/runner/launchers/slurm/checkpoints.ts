/**
 * Whether unfinished work made progress: whether its folder has files that were not there before, or that say something else. One that was written
 * again as it was is no progress, so that work that always begins anew and is always stopped at the same place is noticed.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../../base/file-errors.ts';
import { temporaryEnding } from '../../../base/files.ts';

/** What is read of a file. The header of a state in training, which begins with its epoch or step, is in it; all of a zoo would take minutes. */
const headBytes = 1 << 16;

/** Size and digest of the beginning of each file, by its path in the work folder. */
export type Files = ReadonlyMap<string, string>;

/** The finished files of the work in `partial`, whose folder there has a new name each time that the work is resumed; none where nothing is begun. */
export function filesIn(partial: string): Files {
  const files = new Map<string, string>();
  for (const path of list(partial)) {
    const found = path.endsWith(temporaryEnding) ? undefined : describe(join(partial, path));
    if (found) files.set(path.slice(path.indexOf('/') + 1), found);
  }
  return files;
}

/** Undefined where it is no file, or was renamed meanwhile. */
function describe(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const info = fstatSync(fd);
    if (!info.isFile()) return undefined;
    const head = Buffer.alloc(Math.min(info.size, headBytes));
    const count = readSync(fd, head, 0, head.length, 0);
    return `${info.size} ${Bun.hash(head.subarray(0, count))}`;
  } finally {
    closeSync(fd);
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    // It is not there, or was renamed meanwhile.
    return [];
  }
}

export const hasProgress = (before: Files, after: Files): boolean =>
  [...after].some(([path, state]) => before.get(path) !== state);
