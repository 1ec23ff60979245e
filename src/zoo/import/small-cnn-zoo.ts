/**
 * The Small CNN Zoo (Unterthiner et al. 2020, github.com/google-research/google-research/tree/master/dnn_predict_accuracy), unpacked: in
 * `weights.npy` a row of weights for each checkpoint of each network, in `metrics.csv` or `metrics.csv.gz` a line about each row, in
 * `layout.csv` which columns are which tensor. The networks have three convolutions of stride 2 without padding, a global mean and a
 * dense layer, 4,970 parameters; images are made grey by the mean of their channels. `step` counts epochs.
 */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { FormatError } from '../../base/source.ts';
import { datasets } from '../../data/registry.ts';
import { NpyMatrix } from '../formats/npy.ts';
import type { Hyperparameters } from '../members.ts';
import { byName, type Dropped, type FoundCheckpoint, type FoundModel, type FoundZoo } from './found.ts';
import { KerasLayout } from './keras-layout.ts';

const weightsName = 'weights.npy';
const layoutName = 'layout.csv';
const metricsNames = ['metrics.csv', 'metrics.csv.gz'];

/** The stride of the convolutions, which the layout does not have. */
const stride = 2;

/** Sides of the images where the data set is none of the program's: the shapes of the tensors do not depend on it. */
const anySide = 28;

/** Data sets as TensorFlow names them -> here. */
const datasetNames: Record<string, string> = {
  ...{ mnist: 'mnist', fashion_mnist: 'fashion-mnist', cifar10: 'cifar-10', svhn_cropped: 'svhn' },
};

/** Initialisations as Keras names them -> here. Others have no counterpart: what the zoo's settings say is assumed. */
const inits: Record<string, Hyperparameters['init']> = {
  ...{ he_normal: 'kaiming-normal', he_uniform: 'kaiming-uniform' },
  ...{ glorot_normal: 'xavier-normal', glorot_uniform: 'xavier-uniform' },
};

const activations = ['tanh', 'relu', 'gelu', 'sigmoid'] as const;

export const isSmallCnnZoo = (names: readonly string[]): boolean => names.includes(weightsName);

/** Its networks by their training folders. Weights are read one row at a time. Throws a FormatError that names the file with something wrong. */
export async function findSmallCnnZoo(dir: string, names: readonly string[]): Promise<FoundZoo> {
  const metricsName = metricsNames.find((name) => names.includes(name));
  if (metricsName === undefined || !names.includes(layoutName))
    throw new FormatError(
      `${dir}: ${weightsName} is here without ${names.includes(layoutName) ? metricsNames.join(' or ') : layoutName}: a Small CNN Zoo has all three files`,
    );
  const matrix = NpyMatrix.open(join(dir, weightsName));
  const layout = KerasLayout.read(join(dir, layoutName));
  if (matrix.columns !== layout.columns)
    throw new FormatError(
      `${matrix.path}: has ${matrix.columns} columns, ${layoutName} describes ${layout.columns}`,
    );
  const metrics = await readMetrics(join(dir, metricsName), matrix.rows);
  const { models, dropped } = modelsOf(metrics, matrix, layout);
  const dataset = datasetNames[metrics[0]?.dataset ?? ''] ?? null;
  const side = (dataset === null ? undefined : datasets[dataset]?.shape[0]) ?? anySide;
  return {
    ...{ architecture: 'small-cnn-zoo', dataset, models, dropped },
    written: layout.architecture([side, side, layout.channels], stride),
  };
}

/** A line about a row. */
interface Metrics {
  model: string;
  epoch: number;
  dataset: string;
  measured: FoundCheckpoint['measured'];
  hyperparameters: Partial<Hyperparameters>;
  /** Why it cannot be used. */
  problem?: string;
}

/** Reads the table as a stream: it is large, and few of its columns are kept. */
async function readMetrics(path: string, rows: number): Promise<Metrics[]> {
  const parser = parse({ columns: true, bom: true, skip_empty_lines: true });
  const unpacked = path.endsWith('.gz') ? [createGunzip()] : [];
  // Errors of all streams arrive where the last is read.
  pipeline([createReadStream(path), ...unpacked, parser], () => {});
  const found: Metrics[] = [];
  try {
    for await (const record of parser) found.push(toMetrics(record, `${path}, line ${found.length + 2}`));
  } catch (error) {
    throw error instanceof FormatError ? error : new FormatError(`${path}: ${(error as Error).message}`);
  }
  if (found.length !== rows)
    throw new FormatError(
      `${path}: has ${found.length} lines, ${weightsName} ${rows} rows: they belong to different zoos`,
    );
  return found;
}

function toMetrics(record: Record<string, string>, where: string): Metrics {
  const text = (column: string) => {
    const value = record[column];
    if (value === undefined) throw new FormatError(`${where}: no column ${column}`);
    return value;
  };
  const number = (column: string) => {
    const value = Number(text(column));
    return text(column) !== '' && Number.isFinite(value) ? value : null;
  };
  const epoch = number('step');
  if (epoch === null || !Number.isSafeInteger(epoch) || epoch < 0)
    throw new FormatError(`${where}: step ${text('step')} is no whole number from 0 on`);
  const activation = activations.find((name) => name === text('config.activation'));
  const init = inits[record['config.w_init']?.toLowerCase() ?? ''];
  const optimizer = (['adam', 'sgd'] as const).find((name) => name === record['config.optimizer']);
  const setting = (column: string) => Number(record[column] || Number.NaN);
  const numbers = {
    learning_rate: setting('config.learning_rate'),
    weight_decay: setting('config.l2reg'),
    dropout: setting('config.dropout'),
  };
  return {
    ...{ model: text('modeldir'), epoch, dataset: text('config.dataset') },
    measured: {
      ...{ train_accuracy: number('train_accuracy'), train_loss: number('train_loss') },
      ...{ test_accuracy: number('test_accuracy'), test_loss: number('test_loss') },
      ...{ running_train_accuracy: null, running_train_loss: null },
    },
    hyperparameters: {
      ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => Number.isFinite(value))),
      ...(activation && { activation }),
      ...(init && { init }),
      ...(optimizer && { optimizer }),
    },
    ...(!activation && {
      problem: `its activation is ${text('config.activation')}; known are ${activations.join(', ')}`,
    }),
  };
}

function modelsOf(metrics: readonly Metrics[], matrix: NpyMatrix, layout: KerasLayout) {
  const dropped: Dropped[] = [];
  const models = new Map<string, FoundModel>();
  const { shapes } = layout;
  for (const [row, { model: id, epoch, measured, hyperparameters, problem }] of metrics.entries()) {
    const path = `${matrix.path}, row ${row}`;
    const model = models.get(id) ?? { id, seed: null, split: null, hyperparameters, checkpoints: [] };
    const twin = model.checkpoints.some((one) => one.epoch === epoch);
    const reason = problem ?? (twin ? `${id} has epoch ${epoch} in an earlier row already` : undefined);
    if (reason !== undefined) {
      dropped.push({ path, reason });
      continue;
    }
    const open: FoundCheckpoint['open'] = async () => ({
      ...{ shapes, unused: [] },
      readAll: async () => layout.tensors(matrix.row(row)),
      close: async () => {},
    });
    model.checkpoints.push({ path, epoch, measured, open });
    models.set(id, model);
  }
  for (const { checkpoints } of models.values()) checkpoints.sort((a, b) => a.epoch - b.epoch);
  return { models: [...models.values()].sort((a, b) => byName(a.id, b.id)), dropped };
}
