/** A hash of what is in the folder of a zoo, and what can be told of it without reading its networks. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { filesBelow } from '../../base/walk.ts';
import type { Folder } from '../../experiment/types.ts';
import { manifestName, type ZooManifest } from '../zoo.ts';
import { listedElsewhere, listIn, type ZooList } from './list.ts';

/** The hash is of the files' names, sizes and times of change. A folder that is not there, or empty, is a problem. */
export function inspectZooFolder(path: string): Folder | { problem: string } {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return { problem: `there is no folder ${path}` };
  const hash = createHash('sha256');
  const files = filesBelow(path).sort();
  const list = listIn(path);
  for (const file of [...files, ...(list ? listedElsewhere(path, list) : [])]) {
    // A link may lead nowhere.
    const stat = statSync(resolve(path, file), { throwIfNoEntry: false });
    hash.update(`${file}\0${stat?.size ?? ''}\0${stat?.mtimeMs ?? ''}\n`);
  }
  if (files.length === 0) return { problem: `the folder ${path} is empty` };
  return { path, fingerprint: hash.digest('hex').slice(0, 32), ...saidIn(path, list) };
}

type Said = Pick<Folder, 'channels' | 'architecture' | 'dataset'>;

/** What a folder says of its networks: by the manifest of a zoo of this program, or its list. Of a manifest that importing refuses, nothing. */
function saidIn(folder: string, list: ZooList | undefined): Said {
  if (list) {
    const { architecture, dataset } = list;
    return { ...(architecture && { architecture }), ...(dataset && { dataset }) };
  }
  const path = join(folder, manifestName);
  if (!existsSync(path)) return {};
  try {
    const { architecture, dataset, options } = JSON.parse(readFileSync(path, 'utf8')) as ZooManifest;
    return { architecture, dataset, channels: options.input[2] };
  } catch {
    return {};
  }
}
