/**
 * A list of checkpoint files, `zoo.yaml`, `zoo.yml` or `zoo.json`:
 *
 *     dataset: cifar-10              # the images the models were trained on
 *     architecture: resnet18         # may be left out: it is recognised
 *     key: ema                       # which state dict of each file, where there are several
 *     checkpoints:                   # one entry for each file
 *       - file: a/epoch-10.pt        # of torch.save (also a folder, unpacked) or safetensors (also shards); ~ and ${VAR} are replaced
 *         model: a                   # default: the file's path. Checkpoints of one model stay in one split.
 *         epoch: 10                  # default 0
 *         test_accuracy: 0.61        # fractions; null or left out where not known
 *         train_accuracy: 0.70
 *         running_train_accuracy: 0.68  # during the epoch, while the weights moved
 *         test_loss: 1.13
 *         train_loss: 0.85
 *         running_train_loss: 0.91
 *         split: train               # train, val or test, for every entry or for none
 *
 * Names are text, whatever they look like: model 007 and model 12e345 are these.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { parse } from 'yaml';
import { expandPath } from '../../base/paths.ts';
import { FormatError } from '../../base/source.ts';
import type { Split } from '../members.ts';
import { dictOf, type Measured, measuredNames } from './found.ts';

export const listNames = ['zoo.yaml', 'zoo.yml', 'zoo.json'];

const splits: readonly string[] = ['train', 'val', 'test'];
export const entryKeys: readonly string[] = ['file', 'model', 'epoch', 'split', ...measuredNames];
const zooKeys = ['dataset', 'architecture', 'key', 'checkpoints'];

export interface ListEntry {
  /** As written, `~` and variables replaced. */
  file: string;
  model: string;
  epoch: number;
  split: Split | null;
  measured: Measured;
}

export interface ZooList {
  dataset: string | null;
  architecture: string | null;
  key: string | undefined;
  entries: ListEntry[];
}

/** Reads a list. Throws a FormatError that names the file and the entry with something wrong. */
export function readList(path: string): ZooList {
  const fail: Fail = (message) => {
    throw new FormatError(`${path}: ${message}`);
  };
  const list = dictOf(readYaml(path, fail));
  checkKeys(list, zooKeys, '', fail);
  const { checkpoints } = list;
  if (!Array.isArray(checkpoints) || checkpoints.length === 0) {
    return fail(
      'expected a list under `checkpoints`, with an entry such as {file: a.pt, model: a, epoch: 10, test_accuracy: 0.6}',
    );
  }
  const name = (key: string) => {
    const value = nothing(list[key]) ? null : list[key];
    return value === null || typeof value === 'string' ? value : fail(`${key} is a name`);
  };
  const entries = checkpoints.map((entry, i) => readEntry(dictOf(entry), `checkpoints[${i}]`, fail));
  if (new Set(entries.map(({ split }) => split === null)).size > 1)
    fail('either every checkpoint has a split or none has');
  return {
    dataset: name('dataset'),
    architecture: name('architecture'),
    key: name('key') ?? undefined,
    entries,
  };
}

/** Every value is text as it is written: what is a number is read as one where a number is expected. */
function readYaml(path: string, fail: Fail): unknown {
  try {
    return parse(readFileSync(path, 'utf8'), { schema: 'failsafe', merge: true });
  } catch (error) {
    return fail((error as Error).message);
  }
}

type Fail = (message: string) => never;

/** What YAML and JSON write for no value. */
const nothing = (value: unknown) =>
  value === undefined || ['', '~', 'null', 'Null', 'NULL'].includes(value as string);

const numberOf = (value: unknown) =>
  typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;

function checkKeys(
  value: Record<string, unknown>,
  known: readonly string[],
  where: string,
  fail: Fail,
): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key) && !key.startsWith('x-'));
  if (unknown !== undefined)
    fail(`${where ? `${where}: ` : ''}unknown key ${unknown}; the keys are ${known.join(', ')}`);
}

function readEntry(entry: Record<string, unknown>, where: string, fail: Fail): ListEntry {
  checkKeys(entry, entryKeys, where, fail);
  const { file } = entry;
  if (typeof file !== 'string' || file === '') return fail(`${where}: expected a path under \`file\``);
  const model = nothing(entry.model) ? file : entry.model;
  if (typeof model !== 'string') return fail(`${where}: model is a name`);
  const epoch = nothing(entry.epoch) ? 0 : numberOf(entry.epoch);
  if (!Number.isSafeInteger(epoch) || epoch < 0) return fail(`${where}: epoch is a whole number from 0 on`);
  const split = nothing(entry.split) ? null : entry.split;
  if (split !== null && !splits.includes(split as string))
    return fail(`${where}: split is one of ${splits.join(', ')}`);
  const measured = {} as Measured;
  for (const name of measuredNames) {
    const value = nothing(entry[name]) ? null : numberOf(entry[name]);
    if (value !== null && !Number.isFinite(value)) return fail(`${where}: ${name} is a number`);
    const isFraction = value === null || (value >= 0 && value <= 1);
    if (name.endsWith('accuracy') && !isFraction)
      return fail(`${where}: ${name} ${value} is no fraction from 0 to 1`);
    measured[name] = value;
  }
  if (epoch === 0 && measured.running_train_accuracy !== null)
    return fail(
      `${where}: epoch 0, which is the default, is before training and has no running_train_accuracy`,
    );
  return { file: expanded(file, where, fail), model, epoch, split: split as Split | null, measured };
}

function expanded(file: string, where: string, fail: Fail): string {
  try {
    return expandPath(file);
  } catch (error) {
    return fail(`${where}: ${(error as Error).message}`);
  }
}

/** The list in a folder, if there is one that can be read. What is wrong with one, importing says. */
export function listIn(dir: string): ZooList | undefined {
  const name = listNames.find((one) => existsSync(join(dir, one)));
  if (name === undefined) return undefined;
  try {
    return readList(join(dir, name));
  } catch {
    return undefined;
  }
}

/** Files that a folder's list names and that are elsewhere. */
export function listedElsewhere(dir: string, { entries }: Pick<ZooList, 'entries'>): string[] {
  const isElsewhere = (file: string) =>
    isAbsolute(file) || relative(dir, join(dir, file)).split(sep)[0] === '..';
  return [...new Set(entries.map(({ file }) => file).filter(isElsewhere))].sort();
}
