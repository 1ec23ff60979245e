/** Any checkpoint files, with a list of them (see list.ts). */
import { isAbsolute, join } from 'node:path';
import { FormatError } from '../../base/source.ts';
import { type NetworkOptions, openNetwork } from '../formats/network.ts';
import { byName, type FoundModel, type FoundZoo } from './found.ts';
import { type ListEntry, readList } from './list.ts';

/** The models that a list names; `key` wins over the list's. Throws a FormatError that names the entry with something wrong. */
export async function findListedZoo(
  dir: string,
  listName: string,
  { key }: NetworkOptions = {},
): Promise<FoundZoo> {
  const path = join(dir, listName);
  const { dataset, architecture, key: listed, entries } = readList(path);
  const byModel = Map.groupBy(entries, ({ model }) => model);
  const ids = [...byModel.keys()].sort(byName);
  const models = ids.map((id) => {
    const problem = problemOf(id, byModel.get(id) as ListEntry[]);
    if (problem) throw new FormatError(`${path}: ${problem}`);
    return toModel(dir, id, byModel.get(id) as ListEntry[], { key: key ?? listed });
  });
  return { dataset, architecture, models, dropped: [] };
}

function problemOf(id: string, entries: readonly ListEntry[]): string | undefined {
  const epochs = new Set<number>();
  for (const { epoch, split } of entries) {
    if (epochs.has(epoch)) return `model ${id} has two checkpoints of epoch ${epoch}`;
    if (split !== entries[0]?.split) return `model ${id} has checkpoints in two splits`;
    epochs.add(epoch);
  }
  return undefined;
}

function toModel(
  dir: string,
  id: string,
  entries: readonly ListEntry[],
  options: NetworkOptions,
): FoundModel {
  return {
    id,
    seed: null,
    split: entries[0]?.split ?? null,
    hyperparameters: {},
    checkpoints: entries
      .toSorted((a, b) => a.epoch - b.epoch)
      .map(({ file, epoch, measured }) => {
        const path = isAbsolute(file) ? file : join(dir, file);
        return { path, epoch, measured, open: () => openNetwork(path, options) };
      }),
  };
}
