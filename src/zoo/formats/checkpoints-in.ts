/** The checkpoints in a folder, known by what they hold, or else by their names. */
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { filesBelow } from '../../base/walk.ts';
import { byName } from '../import/found.ts';
import { looksLikeCheckpoint } from './checkpoint.ts';

/** Names that only checkpoints have: a file called so that is none is an error, not another file. */
const claimed = /\.(pt|pth|ckpt|safetensors)(\.tar)?$/i;

/** Names of shards, of which their index is the checkpoint. */
const shard = /-\d{5}-of-\d{5}\.[^.]*$/;

/** Where Hugging Face's cache keeps what the links in its snapshots, which have the names, lead to. */
const contents = /(^|\/)blobs\//;

/**
 * Paths of the checkpoints of a folder, and where `deep` of those below it, in the order of names: files, folders of unpacked ones, and
 * indexes of shards. A folder that is one itself is the only one. Of a checkpoint that links lead to as well, its own path is taken.
 */
export async function checkpointsIn(folder: string, { deep = false } = {}): Promise<string[]> {
  const files = (deep ? filesBelow(folder) : readdirSync(folder)).filter((file) => !contents.test(file));
  const unpacked = new Set(files.filter((file) => basename(file) === 'data.pkl').map(dirname));
  if (unpacked.has('.')) return [folder];
  const inUnpacked = (file: string) =>
    [dirname(file), dirname(dirname(file))].some((parent) => unpacked.has(parent));
  const found = [...unpacked];
  for (const file of files) {
    if (inUnpacked(file) || (shard.test(file) && !file.endsWith('.index.json'))) continue;
    const named = file.endsWith('.index.json') || claimed.test(file);
    if (named || (await looksLikeCheckpoint(join(folder, file)))) found.push(file);
  }
  return onceEach(folder, found.sort(byName)).map((file) => join(folder, file));
}

/** Without links to what is there already, be it by its own path or by an earlier link. */
function onceEach(folder: string, files: readonly string[]): string[] {
  const root = realpathSync(folder);
  const byContent = new Map<string, string>();
  for (const file of files) {
    // A link may lead nowhere.
    const real = existsSync(join(folder, file)) ? realpathSync(join(folder, file)) : file;
    if (!byContent.has(real) || real === join(root, file)) byContent.set(real, file);
  }
  return [...byContent.values()].sort(byName);
}
