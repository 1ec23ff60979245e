/**
 * A list for a folder of checkpoints (see list.ts): model and epoch from their paths, accuracies and epoch from the numbers that training
 * scripts keep beside the weights, and all of it from a table where there is one.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { parse } from 'csv-parse/sync';
import { FormatError } from '../../base/source.ts';
import { checkpointsIn } from '../formats/checkpoints-in.ts';
import { type NetworkOptions, openNetwork } from '../formats/network.ts';
import { byName, type Dropped, type Measured } from './found.ts';
import { entryKeys } from './list.ts';

type MeasuredName = keyof Measured;

export interface DraftEntry extends Partial<Record<MeasuredName, number>> {
  file: string;
  model: string;
  epoch: number;
  split?: string;
}

/** Before a number that counts epochs, in a path. */
const epochToken = /(?:^|(?<=[\W_]))(?:checkpoint|ckpt|epoch|ep|e|step)?[-_=. ]*(\d+)(?=$|[\W_])/gi;
const namedEpoch = /(?:^|(?<=[\W_]))(?:checkpoint|ckpt|epoch|ep|e|step)[-_=. ]*(\d+)(?=$|[\W_])/gi;

/** Names of files that say nothing about the model. */
const generic =
  /^(checkpoints?|ckpt|model|best|last|latest|final|state|state_dict|weights|pytorch_model|net|params)?$/i;

/** How checkpoints' names end. */
const ending = /\.(pt|pth|th|bin|ckpt|model|safetensors|pkl)(\.tar|\.index\.json)?$/i;

/** Model and epoch that a path says; the epoch is undefined where it says none. */
export function identify(path: string): { model: string; epoch: number | undefined } {
  const plain = path.replace(ending, '');
  const stem = basename(plain);
  // A stem that is a number alone counts epochs too; other numbers without a word before them may be seeds.
  const pattern = /^\d+$/.test(stem) ? epochToken : namedEpoch;
  const found = [...plain.matchAll(pattern)].at(-1);
  const epoch = found && Number.isSafeInteger(Number(found[1])) ? Number(found[1]) : undefined;
  const rest = found ? plain.slice(0, found.index) + plain.slice(found.index + found[0].length) : plain;
  const parts = rest
    .split('/')
    .map((part) => part.replace(/^[\W_]+|[\W_]+$/g, ''))
    .filter((part) => part !== '');
  while (parts.length > 1 && generic.test(parts.at(-1) as string)) parts.pop();
  return { model: parts.join('/') || path, epoch };
}

/** What a number beside the weights, or a column of a table, is; undefined: none of what a list has. */
export function measuredBy(name: string): MeasuredName | undefined {
  const last = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const [, split = '', what = ''] =
    /^(?:best_?)?(train|training|test|testing|val|valid|validation|eval)?[_-]?(acc1?|accuracy|top1|acc@1|prec1?|loss)$/.exec(
      last,
    ) ?? [];
  if (what === '') return undefined;
  // A loss that does not say of what is the training's last batch more often than not.
  if (what === 'loss' && split === '') return undefined;
  const side = split.startsWith('train') ? 'train' : 'test';
  return what === 'loss' ? `${side}_loss` : `${side}_accuracy`;
}

/** Entries for all checkpoints below a folder; what is no network, or is there twice, is dropped. Throws a FormatError. */
export async function draftList(
  folder: string,
  { key, table }: NetworkOptions & { table?: string | undefined } = {},
): Promise<{ entries: DraftEntry[]; dropped: Dropped[] }> {
  const rows = table === undefined ? [] : readTable(table);
  const entries: DraftEntry[] = [];
  const dropped: Dropped[] = [];
  for (const path of await checkpointsIn(folder, { deep: true })) {
    const file = relative(folder, path);
    try {
      const { epoch, ...found } = await measuredIn(path, { key });
      const said = identify(file);
      const entry = { file, model: said.model, epoch: said.epoch ?? epoch ?? 0, ...found };
      Object.assign(entry, rowOf(rows, entry));
      const twin = entries.find((one) => one.model === entry.model && one.epoch === entry.epoch);
      if (twin)
        throw new FormatError(`model ${entry.model} has epoch ${entry.epoch} in ${twin.file} already`);
      entries.push(entry);
    } catch (error) {
      dropped.push({ path, reason: (error as Error).message });
    }
  }
  if (entries.length === 0) {
    const [first] = dropped;
    throw new FormatError(first ? `${first.path}: ${first.reason}` : `${folder}: no checkpoint is in it`);
  }
  return {
    entries: asFractions(entries).sort((a, b) => byName(a.model, b.model) || a.epoch - b.epoch),
    dropped,
  };
}

async function measuredIn(path: string, options: NetworkOptions) {
  const network = await openNetwork(path, options);
  try {
    if (![...network.shapes.keys()].some((name) => name.endsWith('weight')))
      throw new FormatError('no network: no tensor has a name that ends in "weight"');
    const result: Partial<Record<MeasuredName | 'epoch', number>> = {};
    for (const [name, value] of await network.scalars()) {
      const measure =
        name === 'epoch' && Number.isSafeInteger(value) && value >= 0 ? 'epoch' : measuredBy(name);
      if (measure && result[measure] === undefined && Number.isFinite(value)) result[measure] = value;
    }
    return result;
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

type Row = Partial<DraftEntry>;

/** A CSV file with a header: file or model (and epoch), and what was measured. Throws a FormatError. */
function readTable(path: string): Row[] {
  const rows = (() => {
    try {
      return parse(readFileSync(path), {
        columns: true,
        trim: true,
        bom: true,
        skip_empty_lines: true,
      }) as Record<string, string>[];
    } catch (error) {
      throw new FormatError(`${path}: ${(error as Error).message}`);
    }
  })();
  const nameOf = (column: string) => {
    const plain = column.toLowerCase();
    if (plain === 'path' || plain === 'checkpoint') return 'file';
    return entryKeys.includes(plain) ? plain : measuredBy(column);
  };
  const columns = Object.keys(rows[0] ?? {});
  if (!columns.some((column) => ['file', 'model'].includes(nameOf(column) ?? '')))
    throw new FormatError(
      `${path}: expected a column file or model, found ${columns.join(', ') || 'nothing'}`,
    );
  return rows.map((row, i) => {
    const result: Record<string, string | number> = {};
    for (const [column, text] of Object.entries(row)) {
      const name = nameOf(column);
      if (name === undefined || text === '') continue;
      const isText = name === 'file' || name === 'model' || name === 'split';
      if (!isText && !Number.isFinite(Number(text)))
        throw new FormatError(`${path}:${i + 2}: ${column} ${text} is no number`);
      result[name] = isText ? text : Number(text);
    }
    return result as Row;
  });
}

/** The row of a checkpoint: by its file, or else by its model, and its epoch where the row has one. */
function rowOf(rows: readonly Row[], { file, model, epoch }: DraftEntry): Row {
  const fits = (row: Row) =>
    row.file === undefined
      ? (row.model === model || row.model === basename(model)) && (row.epoch ?? epoch) === epoch
      : join(row.file) === file || join(row.file) === dirname(file);
  const { file: _, ...row } = rows.find(fits) ?? {};
  return row;
}
