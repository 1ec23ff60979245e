/** What a zoo in a folder holds, told without reading its weights. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../../base/source.ts';
import type { Unused } from '../formats/checkpoint.ts';
import { readJson } from '../formats/json.ts';
import { manifestName } from '../zoo.ts';
import { findZoo } from './find.ts';
import type { Dropped } from './found.ts';
import { architectureOfMost, droppedName, unusedName } from './import.ts';

export interface ZooSummary {
  /** Null: no one that is known. */
  architecture: string | null;
  dataset: string | null;
  models: number;
  checkpoints: number;
  epochs: number[];
  /** Models of each split; empty where the import decides. */
  splits: Record<string, number>;
  accuracies: Record<'train' | 'test', { known: number; lowest: number; highest: number } | null>;
  dropped: Dropped[];
  /** What else an imported zoo's files held, each kind once. */
  unused: Unused[];
}

/** A list that importing wrote beside the manifest; empty of a zoo that was not imported, or not by this version. */
async function listAt<T>(dir: string, name: string): Promise<T[]> {
  const path = join(dir, name);
  if (!existsSync(join(dir, manifestName)) || !existsSync(path)) return [];
  const list = await readJson(path);
  if (!Array.isArray(list)) throw new FormatError(`${path}: expected a list`);
  return list;
}

/** Throws a FormatError if no zoo is there. */
export async function summarizeZoo(dir: string): Promise<ZooSummary> {
  const { models, dataset, architecture, dropped } = await findZoo(dir);
  const checkpoints = models.flatMap((model) => model.checkpoints);
  const named = architecture ?? (await architectureOfMost(models, {}).catch(() => null))?.architecture.name;
  const splits: Record<string, number> = {};
  for (const { split } of models) if (split !== null) splits[split] = (splits[split] ?? 0) + 1;
  const rangeOf = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return null;
    const [lowest, highest] = known.reduce(
      ([low, high], x) => [Math.min(low, x), Math.max(high, x)] as const,
      [Infinity, -Infinity] as const,
    );
    return { known: known.length, lowest, highest };
  };
  return {
    architecture: named ?? null,
    dataset,
    models: models.length,
    checkpoints: checkpoints.length,
    epochs: [...new Set(checkpoints.map(({ epoch }) => epoch))].sort((a, b) => a - b),
    splits,
    accuracies: {
      train: rangeOf(
        checkpoints.map(({ measured }) => measured.train_accuracy ?? measured.running_train_accuracy),
      ),
      test: rangeOf(checkpoints.map(({ measured }) => measured.test_accuracy)),
    },
    dropped: [...dropped, ...(await listAt<Dropped>(dir, droppedName))],
    unused: await listAt<Unused>(dir, unusedName),
  };
}
