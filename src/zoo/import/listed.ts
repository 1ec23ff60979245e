/**
 * Any folder of checkpoint files, with a list of them in `zoo.yaml`, `zoo.yml` or `zoo.json`:
 *
 *     dataset: cifar-10              # the images the models were trained on
 *     architecture: resnet18         # may be left out: it is recognised
 *     checkpoints:                   # one entry for each file
 *       - file: a/epoch-10.pt        # .pt, .pth, .bin or .safetensors, within the folder
 *         model: a                   # default: the file's path. Checkpoints of one model stay in one split.
 *         epoch: 10                  # default 0
 *         test_accuracy: 0.61        # fractions; null or left out where not known
 *         train_accuracy: 0.70
 *         running_train_accuracy: 0.68  # during the epoch, while the weights moved
 *         test_loss: 1.13
 *         train_loss: 0.85
 *         running_train_loss: 0.91
 *         split: train               # train, val or test, for every entry or for none
 */
import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { parse } from 'yaml';
import { FormatError } from '../../base/source.ts';
import { readCheckpoint } from '../formats/checkpoint.ts';
import type { Split } from '../members.ts';
import { byName, dictOf, type FoundModel, type FoundZoo, type Measured, measuredNames } from './found.ts';

export const listNames = ['zoo.yaml', 'zoo.yml', 'zoo.json'];

const splits: readonly string[] = ['train', 'val', 'test'];
const entryKeys: readonly string[] = ['file', 'model', 'epoch', 'split', ...measuredNames];
const zooKeys = ['dataset', 'architecture', 'checkpoints'];

interface Entry {
  file: string;
  model: string;
  epoch: number;
  split: Split | null;
  measured: Measured;
}

/** The models that a list names. Throws a FormatError that names the entry with something wrong. */
export async function findListedZoo(dir: string, listName: string): Promise<FoundZoo> {
  const path = join(dir, listName);
  const fail = (message: string): never => {
    throw new FormatError(`${path}: ${message}`);
  };
  const list = dictOf(await readYaml(path));
  checkKeys(list, zooKeys, '', fail);
  const { dataset = null, architecture = null, checkpoints } = list;
  if (!Array.isArray(checkpoints) || checkpoints.length === 0) {
    return fail(
      'expected a list under `checkpoints`, with an entry such as {file: a.pt, model: a, epoch: 10, test_accuracy: 0.6}',
    );
  }
  for (const value of [dataset, architecture]) {
    if (value !== null && typeof value !== 'string')
      fail(`dataset and architecture are names, not ${JSON.stringify(value)}`);
  }
  const entries = checkpoints.map((entry, i) => readEntry(dictOf(entry), `checkpoints[${i}]`, fail));
  if (new Set(entries.map(({ split }) => split === null)).size > 1)
    fail('either every checkpoint has a split or none has');
  const root = await realpath(dir);
  for (const { file } of entries) await checkInside(root, file, fail);
  const byModel = Map.groupBy(entries, ({ model }) => model);
  const ids = [...byModel.keys()].sort(byName);
  const models = ids.map((id) => toModel(dir, id, byModel.get(id) as Entry[], fail));
  return {
    dataset: dataset as string | null,
    architecture: architecture as string | null,
    models,
    dropped: [],
  };
}

async function readYaml(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new FormatError(`${path}: ${(error as Error).message}`);
  }
}

type Fail = (message: string) => never;

function checkKeys(
  value: Record<string, unknown>,
  known: readonly string[],
  where: string,
  fail: Fail,
): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined)
    fail(`${where ? `${where}: ` : ''}unknown key ${unknown}; the keys are ${known.join(', ')}`);
}

function readEntry(entry: Record<string, unknown>, where: string, fail: Fail): Entry {
  checkKeys(entry, entryKeys, where, fail);
  const { file, epoch = 0, split = null } = entry;
  if (typeof file !== 'string' || file === '') return fail(`${where}: expected a path under \`file\``);
  const { model = file } = entry;
  if (typeof model !== 'string' && typeof model !== 'number') return fail(`${where}: model is a name`);
  if (!Number.isSafeInteger(epoch) || (epoch as number) < 0)
    return fail(`${where}: epoch is a whole number from 0 on`);
  if (split !== null && !splits.includes(split as string))
    return fail(`${where}: split is one of ${splits.join(', ')}`);
  const measured = {} as Measured;
  for (const name of measuredNames) {
    const value = entry[name] ?? null;
    if (value !== null && (typeof value !== 'number' || !Number.isFinite(value)))
      return fail(`${where}: ${name} is a number`);
    const isFraction = value === null || (value >= 0 && value <= 1);
    if (name.endsWith('accuracy') && !isFraction)
      return fail(`${where}: ${name} ${value} is no fraction from 0 to 1`);
    measured[name] = value;
  }
  if (epoch === 0 && measured.running_train_accuracy !== null)
    return fail(
      `${where}: epoch 0, which is the default, is before training and has no running_train_accuracy`,
    );
  return { file, model: String(model), epoch: epoch as number, split: split as Split | null, measured };
}

/** A list may not name files elsewhere, neither by its path nor through a link. */
async function checkInside(root: string, file: string, fail: Fail): Promise<void> {
  const climbs = (path: string) => path.split(/[/\\]/)[0] === '..' || isAbsolute(path);
  const target = await realpath(join(root, file)).catch(() => join(root, file));
  if (isAbsolute(file) || climbs(relative(root, target))) fail(`${file} is outside the folder`);
}

function toModel(dir: string, id: string, entries: readonly Entry[], fail: Fail): FoundModel {
  const sorted = entries.toSorted((a, b) => a.epoch - b.epoch);
  for (const [i, { epoch, split }] of sorted.entries()) {
    if (i === 0) continue;
    if (epoch === sorted[i - 1]?.epoch) fail(`model ${id} has two checkpoints of epoch ${epoch}`);
    if (split !== sorted[0]?.split) fail(`model ${id} has checkpoints in two splits`);
  }
  return {
    id,
    seed: null,
    split: sorted[0]?.split ?? null,
    hyperparameters: {},
    checkpoints: sorted.map(({ file, epoch, measured }) => {
      const path = join(dir, file);
      return { path, epoch, measured, read: () => readCheckpoint(path) };
    }),
  };
}
