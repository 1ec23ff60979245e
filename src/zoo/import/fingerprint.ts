/** A hash of what is in the folder of a zoo, and what can be told of it without reading its networks. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Folder } from '../../experiment/types.ts';
import { manifestName, type ZooManifest } from '../zoo.ts';

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
  if (files === 0) return { problem: `the folder ${path} is empty` };
  const channels = channelsOf(path);
  return { path, fingerprint: hash.digest('hex').slice(0, 32), ...(channels && { channels }) };
}

/** Channels of the images that the networks of a zoo of this program see. Undefined of others' zoos, and of a manifest that importing refuses. */
function channelsOf(folder: string): number | undefined {
  const path = join(folder, manifestName);
  if (!existsSync(path)) return undefined;
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as ZooManifest).options.input[2];
  } catch {
    return undefined;
  }
}
