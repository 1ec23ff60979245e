/** A hash of what is in a folder, without reading its files. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Folder } from '../../experiment/types.ts';

/** The hash is of the files' names, sizes and times of change. A folder that is not there, or empty, is a problem. */
export function inspectZooFolder(path: string): Folder | { problem: string } {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return { problem: `there is no folder ${path}` };
  const hash = createHash('sha256');
  let files = 0;
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((one) => !one.isDirectory())
    .map(({ parentPath, name }) => relative(path, join(parentPath, name)))
    .sort()) {
    // A link may lead nowhere.
    const stat = statSync(join(path, entry), { throwIfNoEntry: false });
    hash.update(`${entry}\0${stat?.size ?? ''}\0${stat?.mtimeMs ?? ''}\n`);
    files++;
  }
  return files > 0
    ? { path, fingerprint: hash.digest('hex').slice(0, 32) }
    : { problem: `the folder ${path} is empty` };
}
