/**
 * A list for a folder of checkpoints (see list.ts): model and epoch from their paths, accuracies and epoch from the numbers that training
 * scripts keep beside the weights, and all of it from a table where there is one.
 */
import { relative } from 'node:path';
import { FormatError } from '../../base/source.ts';
import { checkpointsIn } from '../formats/checkpoints-in.ts';
import { type NetworkOptions, openNetwork } from '../formats/network.ts';
import { byName, type Dropped, named } from './found.ts';
import { bySurety, identify, isTakenForTest, type MeasuredName, measuredBy } from './names.ts';
import { readTable } from './table.ts';

export interface DraftEntry extends Partial<Record<MeasuredName, number>> {
  file: string;
  model: string;
  epoch: number;
  split?: string;
}

/** What a list is drafted of. */
export interface Draft {
  entries: DraftEntry[];
  dropped: Dropped[];
  /** Names of numbers that were taken for those of the test images without saying so, such as `val_acc`. */
  takenForTest: string[];
}

/** Entries for all checkpoints below a folder; what is no network, or is there twice, is dropped. Throws a FormatError. */
export async function draftList(
  folder: string,
  { key, table }: NetworkOptions & { table?: string | undefined } = {},
): Promise<Draft> {
  const rows = table === undefined ? undefined : readTable(table);
  const entries = new Map<string, DraftEntry>();
  const dropped: Dropped[] = [];
  const taken = new Set<string>();
  for (const path of await checkpointsIn(folder, { deep: true })) {
    const file = relative(folder, path);
    try {
      const { values, names } = await measuredIn(path, { key });
      const { epoch, ...found } = values;
      const said = identify(file);
      const entry = { file, model: said.model, epoch: said.epoch ?? epoch ?? 0, ...found };
      const row = rows?.of(entry) ?? {};
      for (const [measure, name] of names) if (isTakenForTest(name) && !(measure in row)) taken.add(name);
      Object.assign(entry, row);
      const name = JSON.stringify([entry.model, entry.epoch]);
      const twin = entries.get(name);
      if (twin)
        throw new FormatError(`model ${entry.model} has epoch ${entry.epoch} in ${twin.file} already`);
      entries.set(name, entry);
    } catch (error) {
      dropped.push({ path, reason: (error as Error).message });
    }
  }
  const [one] = entries.values();
  if (!one) {
    const [first] = dropped;
    if (first) throw new FormatError(named(first));
    throw new FormatError(`${folder}: no checkpoint is in it: files of torch.save or safetensors`);
  }
  rows?.checkUsed(one);
  return {
    entries: asFractions([...entries.values()]).sort((a, b) => byName(a.model, b.model) || a.epoch - b.epoch),
    dropped,
    takenForTest: [...taken, ...(rows?.takenForTest ?? [])],
  };
}

async function measuredIn(path: string, options: NetworkOptions) {
  const network = await openNetwork(path, options);
  try {
    if (![...network.shapes.keys()].some((name) => name.endsWith('weight')))
      throw new FormatError('no network: no tensor has a name that ends in "weight"');
    const values: Partial<Record<MeasuredName | 'epoch', number>> = {};
    const names = new Map<string, string>();
    const scalars = [...(await network.scalars())].sort(([one], [other]) => bySurety(one, other));
    for (const [name, value] of scalars) {
      const measure =
        name === 'epoch' && Number.isSafeInteger(value) && value >= 0 ? 'epoch' : measuredBy(name);
      if (!measure || values[measure] !== undefined || !Number.isFinite(value)) continue;
      values[measure] = value;
      names.set(measure, name);
    }
    return { values, names };
  } finally {
    await network.close();
  }
}

/** Accuracies that are per cent anywhere are per cent everywhere. */
function asFractions(entries: readonly DraftEntry[]): DraftEntry[] {
  const accuracies = ['train_accuracy', 'test_accuracy', 'running_train_accuracy'] as const;
  return entries.map((entry) => {
    const result = { ...entry };
    for (const name of accuracies) {
      const percent = entries.some((one) => (one[name] ?? 0) > 1);
      if (percent && result[name] !== undefined) result[name] = Number((result[name] / 100).toPrecision(12));
    }
    return result;
  });
}
