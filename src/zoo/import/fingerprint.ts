/** A hash of what is in the folder of a zoo, and what can be told of it without reading its networks. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { filesBelow } from '../../base/walk.ts';
import type { Folder } from '../../experiment/types.ts';
import { manifestName, type ZooManifest } from '../zoo.ts';
import { listedElsewhere } from './list.ts';

/** The hash is of the files' names, sizes and times of change. A folder that is not there, or empty, is a problem. */
export function inspectZooFolder(path: string): Folder | { problem: string } {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return { problem: `there is no folder ${path}` };
  const hash = createHash('sha256');
  const files = filesBelow(path).sort();
  for (const file of [...files, ...listedElsewhere(path)]) {
    // A link may lead nowhere.
    const stat = statSync(resolve(path, file), { throwIfNoEntry: false });
    hash.update(`${file}\0${stat?.size ?? ''}\0${stat?.mtimeMs ?? ''}\n`);
  }
  if (files.length === 0) return { problem: `the folder ${path} is empty` };
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
