/**
 * Published model zoos (Schürholt et al. 2022) as their trainings left them: a folder for each model, with its settings in `params.json`, its
 * results in `result.json`, a JSON text on each line, and a checkpoint of each epoch in `checkpoint_000010/checkpoints`. These folders may be
 * in others, as those of fine-tuned models are in one for each pretrained model, and may be links.
 */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../../base/source.ts';
import { readJson, readJsonLines } from '../formats/json.ts';
import { type NetworkOptions, openNetwork } from '../formats/network.ts';
import type { Hyperparameters } from '../members.ts';
import {
  byName,
  type Dropped,
  dictOf,
  type FoundCheckpoint,
  type FoundModel,
  type FoundZoo,
  type Measured,
  numberOrNull,
} from './found.ts';

const isFile = async (path: string) => (await stat(path).catch(() => undefined))?.isFile() ?? false;

/** Folders between the zoo's and a training's, at most. */
const levelsBetween = 2;

/** Whether there are trainings in a folder. */
export async function isPublishedZoo(dir: string): Promise<boolean> {
  for await (const _ of trials(dir)) return true;
  return false;
}

/** The trainings in a folder by their paths in it, in the order of names. A link back to a folder that it is in is not followed. */
async function* trials(dir: string, path = '', above: readonly string[] = []): AsyncGenerator<string> {
  const folder = join(dir, path);
  const real = await realpath(folder);
  if (above.includes(real)) return;
  for (const name of (await readdir(folder)).sort(byName)) {
    const one = join(path, name);
    if (!(await stat(join(dir, one)).catch(() => undefined))?.isDirectory()) continue;
    if (await isFile(join(dir, one, 'result.json'))) yield one;
    else if (above.length < levelsBetween) yield* trials(dir, one, [...above, real]);
  }
}

/**
 * The models of a published zoo. Folders without results are no models; of which a file of settings or results is damaged or says what is
 * not known here, they are left out. Throws a FormatError if nothing is left.
 */
export async function findPublishedZoo(dir: string, options: NetworkOptions = {}): Promise<FoundZoo> {
  const models: FoundModel[] = [];
  const dropped: Dropped[] = [];
  for await (const name of trials(dir)) {
    try {
      models.push(await readTrial(dir, name, options));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      dropped.push({ path: join(dir, name), reason: error.message });
    }
  }
  const [first] = dropped;
  if (first && models.length === 0) throw new FormatError(first.reason);
  return { architecture: null, dataset: null, models, dropped };
}

async function readTrial(dir: string, name: string, options: NetworkOptions): Promise<FoundModel> {
  const folder = join(dir, name);
  const results = (await readJsonLines(join(folder, 'result.json'))).map(dictOf);
  const params = await readParams(folder, results);
  const checkpoints: FoundCheckpoint[] = [];
  for (const entry of await readdir(folder)) {
    const epoch = Number(/^checkpoint_(\d+)$/.exec(entry)?.[1] ?? Number.NaN);
    const path = join(folder, entry, 'checkpoints');
    if (!Number.isSafeInteger(epoch) || !(await isFile(path))) continue;
    const row = resultAt(results, epoch);
    checkpoints.push({
      path,
      epoch,
      measured: measuredAt(epoch, row),
      open: () => openNetwork(path, options),
    });
  }
  checkpoints.sort((a, b) => a.epoch - b.epoch);
  const hyperparameters = hyperparametersOf(params, folder);
  return { id: name, seed: numberOrNull(params.seed), split: null, hyperparameters, checkpoints };
}

/** The settings of a training, which its results repeat. */
async function readParams(folder: string, results: readonly Record<string, unknown>[]) {
  for (const name of ['params.json', 'config.json']) {
    if (await isFile(join(folder, name))) return dictOf(await readJson(join(folder, name)));
  }
  return dictOf(results[0]?.config);
}

/**
 * What was measured after an epoch: the line that counts as many. Some zoos begin with the untrained model and some with the first epoch, so
 * that the line's own count decides, and its place only where it has none. Of lines with the same count, as a resumed training writes them,
 * the last.
 */
function resultAt(results: readonly Record<string, unknown>[], epoch: number): Record<string, unknown> {
  const counted = results.some(({ training_iteration: count }) => typeof count === 'number');
  if (!counted) return results[epoch] ?? {};
  return results.findLast(({ training_iteration: count }) => count === epoch) ?? {};
}

/** What is logged of the training images is of the running epoch, except of the untrained model, which was evaluated. */
function measuredAt(epoch: number, row: Record<string, unknown>): Measured {
  const [accuracy, loss] = [numberOrNull(row.train_acc), numberOrNull(row.train_loss)];
  return {
    train_accuracy: epoch === 0 ? accuracy : null,
    train_loss: epoch === 0 ? loss : null,
    test_accuracy: numberOrNull(row.test_acc),
    test_loss: numberOrNull(row.test_loss),
    running_train_accuracy: epoch === 0 ? null : accuracy,
    running_train_loss: epoch === 0 ? null : loss,
  };
}

/** Names of settings there -> here; values by the names that the authors' generator has. */
function hyperparametersOf(params: Record<string, unknown>, folder: string): Partial<Hyperparameters> {
  const result: Partial<Hyperparameters> = {};
  const number = (from: string, to: 'learning_rate' | 'weight_decay' | 'dropout') => {
    const value = numberOrNull(params[from]);
    if (value !== null) result[to] = value;
  };
  number('optim::lr', 'learning_rate');
  number('optim::wd', 'weight_decay');
  number('model::dropout', 'dropout');
  const word = <T extends string>(from: string, allowed: readonly T[]): T | undefined => {
    const value = params[from];
    if (value === undefined || value === null) return undefined;
    const found = allowed.find((name) => name === String(value).replaceAll('_', '-'));
    if (found) return found;
    throw new FormatError(
      `${folder}: its training has ${from} ${String(value)}; known are ${allowed.join(', ')}`,
    );
  };
  const activation = word('model::nlin', ['tanh', 'relu', 'gelu', 'sigmoid']);
  const init = word('model::init_type', [
    'uniform',
    'normal',
    'kaiming-uniform',
    'kaiming-normal',
    'xavier-uniform',
    'xavier-normal',
  ]);
  const optimizer = word('optim::optimizer', ['adam', 'sgd']);
  if (activation) result.activation = activation;
  if (init) result.init = init;
  if (optimizer) result.optimizer = optimizer;
  return result;
}
