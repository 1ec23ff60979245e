/**
 * Whether unfinished work made progress: whether its folder has files that are new or changed. Their times are compared with each other only, as
 * the clocks of a file server and of a node differ.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryEnding } from '../../../base/files.ts';

/** Size and time of each file, by its path in the work folder. */
export type Files = ReadonlyMap<string, string>;

/** The finished files of the work in `partial`, whose folder there has a new name each time that the work is resumed; none where nothing is begun. */
export function filesIn(partial: string): Files {
  const files = new Map<string, string>();
  for (const path of list(partial)) {
    const info = statSync(join(partial, path), { throwIfNoEntry: false });
    if (!info?.isFile() || path.endsWith(temporaryEnding)) continue;
    files.set(path.slice(path.indexOf('/') + 1), `${info.size} ${info.mtimeMs}`);
  }
  return files;
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
