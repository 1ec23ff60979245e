/** Networks in several files with an index: `model.safetensors.index.json` or `pytorch_model.bin.index.json`, as Hugging Face writes them. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FormatError } from '../../base/source.ts';
import type { Checkpoint } from './checkpoint.ts';
import { readJson } from './json.ts';

const indexEnd = '.index.json';

/** The index at `path`: that file itself, or the only one in that folder. Undefined of anything else. Throws a FormatError for a shard by itself. */
export async function shardIndex(path: string): Promise<string | undefined> {
  if (path.endsWith(indexEnd)) return path;
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    const names = await readdir(path);
    const indexes = names.filter((name) => name.endsWith(indexEnd));
    return indexes.length === 1 ? join(path, indexes[0] as string) : undefined;
  }
  const [, number, count] = /-(\d{5})-of-(\d{5})\.[^/]*$/.exec(basename(path)) ?? [];
  if (!found || count === undefined || Number(count) < 2) return undefined;
  throw new FormatError(
    `this is part ${Number(number)} of a network in ${Number(count)} files: give the ${indexEnd} beside them, or their folder`,
  );
}

/** All shards as one checkpoint. Throws a FormatError naming the file with something wrong. */
export async function openShards(
  path: string,
  index: string,
  open: (shard: string) => Promise<Checkpoint>,
): Promise<Checkpoint> {
  const files = ((await readJson(index)) as { weight_map?: unknown } | null)?.weight_map;
  if (typeof files !== 'object' || files === null || Array.isArray(files))
    throw new FormatError(`${index}: this is no index of shards: it has no weight_map`);
  const names = [...new Set(Object.values(files))].map((name: unknown) => {
    if (typeof name === 'string' && basename(name) === name && !/^\.*$/.test(name)) return name;
    throw new FormatError(`${index}: ${JSON.stringify(name)} is no file beside the index`);
  });
  const shards: Checkpoint[] = [];
  try {
    for (const name of names.sort()) shards.push(await open(join(dirname(index), name)));
    return joined(path, index, Object.keys(files).length, shards);
  } catch (error) {
    for (const shard of shards) await shard.close();
    throw error;
  }
}

function joined(path: string, index: string, expected: number, shards: readonly Checkpoint[]): Checkpoint {
  const owners = new Map(shards.flatMap((shard) => Array.from(shard.shapes.keys(), (name) => [name, shard])));
  if (owners.size !== expected)
    throw new FormatError(`${index}: it names ${expected} tensors, its files have ${owners.size}`);
  const ownerOf = (name: string): Checkpoint => {
    const owner = owners.get(name);
    if (owner) return owner;
    throw new FormatError(`${path}: no tensor ${name}`);
  };
  return {
    path,
    shapes: new Map(shards.flatMap(({ shapes }) => [...shapes])),
    // Tensors are dealt out by size.
    ordered: false,
    beside: shards.flatMap(({ beside }) => beside),
    kindOf: (name) => ownerOf(name).kindOf(name),
    read: async (name) => ownerOf(name).read(name),
    scalars: async () => new Map(),
    async close() {
      for (const shard of shards) await shard.close();
    },
  };
}
