/** The Small CNN Zoo: its networks compute what Keras' do, rows are read one by one, and what is wrong with its files is said. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Random } from '../../src/base/random.ts';
import { zooInit as zooInitCommand } from '../../src/commands/zoo/command.ts';
import { zooInit } from '../../src/commands/zoo/init.ts';
import type { Architecture } from '../../src/nets/architecture.ts';
import { forward } from '../../src/nets/forward.ts';
import { layerProblems } from '../../src/nets/written.ts';
import { schemaErrors } from '../../src/nets/written-schema.ts';
import { tf } from '../../src/tensor/tf.ts';
import { NpyMatrix } from '../../src/zoo/formats/npy.ts';
import { findZoo } from '../../src/zoo/import/find.ts';
import { type ImportOptions, importZoo } from '../../src/zoo/import/import.ts';
import { summarizeZoo } from '../../src/zoo/import/summary.ts';
import { openZoo } from '../../src/zoo/zoo.ts';
import { testSeed } from '../seed.ts';
import { columns, layout, npy, writeSmallCnnZoo } from './small-cnn-files.ts';

const root = mkdtempSync(join(tmpdir(), 'small-cnn-zoo-'));
afterAll(() => rmSync(root, { recursive: true }));
beforeAll(() => tf.setBackend('cpu'));
let folders = 0;
const newFolder = () => join(root, String(folders++));

const random = new Random(testSeed, 'small-cnn-zoo');
const zoo = newFolder();
const weights = writeSmallCnnZoo(zoo, random, { models: 4, epochs: [0, 1, 86], dataset: 'cifar10' });

const options: ImportOptions = {
  ...{ architecture: null, dataset: null, epochs: null, models: null, split: [0.5, 0.25, 0.25], seed: 0 },
  hyperparameters: () => ({
    ...{ optimizer: 'adam', learning_rate: 1, weight_decay: 0, dropout: 0 },
    ...{ activation: 'gelu', init: 'uniform' },
  }),
};

/** The network of a row as Keras computes it, in float64: convolutions of stride 2 without padding, their mean, a dense layer. */
function keras(
  row: Float32Array,
  image: Float64Array,
  side: number,
  activation: (x: number) => number,
): number[] {
  let [at, size, depth] = [0, side, 1];
  let values = image;
  for (let layer = 0; layer < 3; layer++) {
    const bias = row.subarray(at, at + 16);
    const kernel = row.subarray(at + 16, at + 16 + 9 * depth * 16);
    const out = Math.floor((size - 3) / 2) + 1;
    const next = new Float64Array(out * out * 16);
    for (let y = 0; y < out; y++)
      for (let x = 0; x < out; x++)
        for (let o = 0; o < 16; o++) {
          let sum = bias[o]!;
          for (let h = 0; h < 3; h++)
            for (let w = 0; w < 3; w++)
              for (let i = 0; i < depth; i++)
                sum +=
                  values[((2 * y + h) * size + 2 * x + w) * depth + i]! *
                  kernel[((h * 3 + w) * depth + i) * 16 + o]!;
          next[(y * out + x) * 16 + o] = activation(sum);
        }
    at += 16 + 9 * depth * 16;
    [values, size, depth] = [next, out, 16];
  }
  const mean = Array.from({ length: 16 }, (_, c) => {
    let sum = 0;
    for (let p = 0; p < size * size; p++) sum += values[p * 16 + c]!;
    return sum / size ** 2;
  });
  const [bias, kernel] = [row.subarray(at, at + 10), row.subarray(at + 10)];
  return Array.from({ length: 10 }, (_, o) =>
    mean.reduce((sum, v, i) => sum + v * kernel[i * 10 + o]!, bias[o]!),
  );
}

test('imported networks have 4,970 parameters and compute what Keras’ do, with the activation of their own', async () => {
  const out = newFolder();
  const { manifest, dropped } = await importZoo(await findZoo(zoo), out, options);
  expect(dropped).toEqual([]);
  expect(manifest).toMatchObject({ architecture: 'small-cnn-zoo', dataset: 'cifar-10', epochs: [0, 1, 86] });
  const opened = await openZoo(out);
  const net = opened.architecture as Architecture;
  expect(columns).toBe(4970);
  expect(net.state.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(4970);
  // Every hidden layer of 16 can be put in another order.
  expect(net.permutations.map(({ size }) => size)).toEqual([16, 16, 16]);
  const { written } = manifest.options;
  expect([...schemaErrors(written), ...layerProblems(written!)]).toEqual([]);
  const side = 32;
  const image = Float64Array.from(random.normals(side * side));
  for (const [row, model, epoch] of [
    [1, 0, 1],
    [5, 1, 86],
  ] as const) {
    const { activation, ...training } = manifest.models[model]!.hyperparameters;
    expect(activation).toBe(model ? 'tanh' : 'relu');
    // The optimizer is none of those here, and so is taken to be what was given.
    expect(training).toEqual({
      ...{
        optimizer: 'adam',
        init: 'kaiming-normal',
        learning_rate: 0.01,
        weight_decay: 0.001,
        dropout: 0.1,
      },
    });
    const state = await opened.weights(manifest.models[model]!, epoch);
    const tensors = new Map(net.state.map(({ name, shape }) => [name, tf.tensor(state.get(name)!, shape)]));
    const logits = tf.tidy(() =>
      forward(net, tensors, tensors, tf.tensor4d([...image], [1, side, side, 1]), activation, {
        training: false,
      }),
    );
    const expected = keras(
      weights.subarray(row * columns, (row + 1) * columns),
      image,
      side,
      model ? Math.tanh : (x) => Math.max(0, x),
    );
    const scale = Math.max(...expected.map(Math.abs));
    for (const [i, value] of (await logits.data()).entries())
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5 * scale);
    tf.dispose([logits, ...tensors.values()]);
  }
});

test('only the epochs that are asked for are imported, also without compression, in float64 and of images that are not known', async () => {
  const dir = newFolder();
  const own = writeSmallCnnZoo(dir, random, { models: 3, epochs: [1, 86], dataset: 'toys', packed: false });
  writeFileSync(join(dir, 'weights.npy'), npy(6, columns, Float64Array.from(own)));
  const found = await findZoo(dir);
  expect(found.dataset).toBeNull();
  const out = newFolder();
  const asked = { ...options, dataset: 'mnist', epochs: [86] };
  const { manifest } = await importZoo(found, out, asked);
  expect(
    manifest.models.map(({ source, checkpoints }) => [source, ...checkpoints.map(({ epoch }) => epoch)]),
  ).toEqual([
    ['/cns/zoo/0', 86],
    ['/cns/zoo/1', 86],
    ['/cns/zoo/2', 86],
  ]);
  const state = await (await openZoo(out)).weights(manifest.models[2]!, 86);
  expect(state.get('conv2d.bias')).toEqual(own.slice(5 * columns, 5 * columns + 16));
});

test('a network that diverged, has another activation or an epoch twice is left out, with its row', async () => {
  const dir = newFolder();
  const own = writeSmallCnnZoo(dir, random, { models: 4, epochs: [86], packed: false });
  own[columns + 7] = Number.NaN;
  writeFileSync(join(dir, 'weights.npy'), npy(4, columns, own));
  const path = join(dir, 'metrics.csv');
  const lines = readFileSync(path, 'utf8').replaceAll('/zoo/3', '/zoo/2').split('\n');
  lines[1] = lines[1]!.replace('relu', 'selu');
  writeFileSync(path, lines.join('\n'));
  const { manifest, dropped } = await importZoo(await findZoo(dir), newFolder(), options);
  expect(manifest.models.map(({ source }) => source)).toEqual(['/cns/zoo/2']);
  expect(dropped.map(({ path, reason }) => `${path.slice(dir.length)}: ${reason}`)).toEqual([
    '/weights.npy, row 0: its activation is selu; known are tanh, relu, gelu, sigmoid',
    '/weights.npy, row 3: /cns/zoo/2 has epoch 86 in an earlier row already',
    '/weights.npy, row 1: conv2d.bias has numbers that are not finite: the model diverged',
  ]);
});

test('of images that are not known, it is imported where these are named', async () => {
  const dir = newFolder();
  writeSmallCnnZoo(dir, random, { models: 3, epochs: [86], dataset: 'toys' });
  const own = { ...options, dataset: 'toys' };
  await expect(importZoo(await findZoo(dir), newFolder(), own)).rejects.toThrow(
    /^the zoo was trained on toys, and there are glyphs, .*usps: import it in an experiment that names the images under datasets$/,
  );
  const images = { name: 'toys', shape: [20, 20, 1] as [number, number, number] };
  const { manifest } = await importZoo(await findZoo(dir), newFolder(), { ...own, images });
  expect(manifest).toMatchObject({ dataset: 'toys', options: { input: [20, 20, 1] } });
});

test('it needs no list of its checkpoints', async () => {
  const request = {
    command: zooInitCommand,
    positionals: [zoo],
    values: new Map(),
    switches: new Set<string>(),
  };
  await expect(zooInit(request)).rejects.toThrow(`${zoo} needs no list: its metrics.csv is one`);
});

test('what it holds is shown without its weights', async () => {
  expect(await summarizeZoo(zoo)).toMatchObject({
    ...{ architecture: 'small-cnn-zoo', dataset: 'cifar-10', models: 4, checkpoints: 12, epochs: [0, 1, 86] },
    accuracies: { test: { known: 12 } },
  });
});

const metrics = gunzipSync(readFileSync(join(zoo, 'metrics.csv.gz'))).toString();
const write = (name: string, content: string | Buffer) => (dir: string) =>
  writeFileSync(join(dir, name), content);
/** Without the packed table, a plain one in its place. */
const plain = (text: string) => (dir: string) => {
  rmSync(join(dir, 'metrics.csv.gz'));
  writeFileSync(join(dir, 'metrics.csv'), text);
};

test.each([
  [
    'a missing layout',
    (dir: string) => rmSync(join(dir, 'layout.csv')),
    'DIR: weights.npy is here without layout.csv: a Small CNN Zoo has all three files',
  ],
  [
    'a missing table',
    (dir: string) => rmSync(join(dir, 'metrics.csv.gz')),
    'DIR: weights.npy is here without metrics.csv or metrics.csv.gz: a Small CNN Zoo has all three files',
  ],
  ['no matrix at all', write('weights.npy', 'no matrix of any kind'), 'DIR/weights.npy: not a file of NumPy'],
  ['an empty file', write('weights.npy', ''), 'DIR/weights.npy: it ends before byte 12: it is cut short'],
  [
    'integers',
    write(
      'weights.npy',
      npy(1, 1, new Float32Array(1), "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }"),
    ),
    'DIR/weights.npy: holds numbers of type <i8; expected float32 or float64, <f4 or <f8',
  ],
  [
    'a matrix by columns',
    write(
      'weights.npy',
      npy(1, 1, new Float32Array(1), "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }"),
    ),
    'DIR/weights.npy: its matrix is kept column by column; save it in C order',
  ],
  [
    'one axis',
    write(
      'weights.npy',
      npy(1, 1, new Float32Array(1), "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"),
    ),
    'DIR/weights.npy: expected a matrix, with two axes',
  ],
  [
    'a matrix that is cut short',
    (dir: string) => truncateSync(join(dir, 'weights.npy'), 1000),
    `DIR/weights.npy: has 1000 bytes, its 12 rows need ${128 + 12 * 4970 * 4}: it is cut short`,
  ],
  [
    'a matrix of another width',
    write('weights.npy', npy(12, 5, new Float32Array(60))),
    'DIR/weights.npy: has 5 columns, layout.csv describes 4970',
  ],
  [
    'fewer lines than rows',
    plain(metrics.trimEnd().split('\n').slice(0, -1).join('\n')),
    'DIR/metrics.csv: has 11 lines, weights.npy 12 rows: they belong to different zoos',
  ],
  [
    'a table that is cut short',
    (dir: string) => truncateSync(join(dir, 'metrics.csv.gz'), 100),
    'DIR/metrics.csv.gz: unexpected end of file',
  ],
  [
    'a table without a column',
    plain(metrics.replace('test_accuracy', 'accuracy')),
    'DIR/metrics.csv, line 2: no column test_accuracy',
  ],
  [
    'a step that is no epoch',
    plain(metrics.replace('/cns/zoo/0,0,', '/cns/zoo/0,0.5,')),
    'DIR/metrics.csv, line 2: step 0.5 is no whole number from 0 on',
  ],
  [
    'a layout with a gap',
    write('layout.csv', layout.replace('bias:0,0,16', 'bias:0,1,17')),
    'DIR/layout.csv: conv2d.bias begins with column 1, expected 0',
  ],
  [
    'a layout with another shape',
    write('layout.csv', layout.replace('(16, 10)', '(16, 11)')),
    'DIR/layout.csv:9: sequential/dense/kernel:0 has the columns 4810 to 4970, its shape (16, 11) needs 176',
  ],
  [
    'a layout of another layer',
    write('layout.csv', layout.replace('dense/bias:0', 'dense/gamma:0')),
    'DIR/layout.csv:8: sequential/dense/gamma:0 of shape (10,) is no kernel or bias of a convolution or dense layer',
  ],
  [
    'a layout without a column',
    write('layout.csv', layout.replace('varname', 'name')),
    'DIR/layout.csv:2: no column varname',
  ],
])('%s is an error', async (_, damage, message) => {
  const dir = newFolder();
  cpSync(zoo, dir, { recursive: true });
  damage(dir);
  const error = await findZoo(dir).then(
    () => 'no error',
    (error: Error) => error.message.replaceAll(dir, 'DIR'),
  );
  expect(error).toBe(message);
});

test('the last row of a matrix as large as the published ones is read without the others', () => {
  const rows = 270_000;
  const header = npy(rows, columns, new Float32Array(0));
  const path = join(root, 'large.npy');
  writeFileSync(path, header);
  // What is not written takes no room on the disk.
  truncateSync(path, header.length + 4 * (rows - 1) * columns);
  const last = random.normals(columns);
  appendFileSync(path, new Uint8Array(last.buffer));
  const matrix = NpyMatrix.open(path);
  expect(matrix.rows).toBe(rows);
  expect(matrix.row(rows - 1)).toEqual(last);
  expect(matrix.row(rows - 2)).toEqual(new Float32Array(columns));
});
