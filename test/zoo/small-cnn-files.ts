/** Small CNN Zoos in the layout of Unterthiner et al. (2020): columns as in its layout.csv, biases before kernels. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Random } from '../../src/base/random.ts';

export const variables: readonly (readonly [name: string, shape: readonly number[]])[] = [
  ['sequential/conv2d/bias:0', [16]],
  ['sequential/conv2d/kernel:0', [3, 3, 1, 16]],
  ['sequential/conv2d_1/bias:0', [16]],
  ['sequential/conv2d_1/kernel:0', [3, 3, 16, 16]],
  ['sequential/conv2d_2/bias:0', [16]],
  ['sequential/conv2d_2/kernel:0', [3, 3, 16, 16]],
  ['sequential/dense/bias:0', [10]],
  ['sequential/dense/kernel:0', [16, 10]],
];
const sizes = variables.map(([, shape]) => shape.reduce((a, b) => a * b, 1));
export const columns = sizes.reduce((a, b) => a + b, 0);

export const layout = `varname,start_idx,end_idx,size,shape\n${variables
  .map(([name, shape], i) => {
    const start = sizes.slice(0, i).reduce((a, b) => a + b, 0);
    const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
    return `${name},${start},${start + sizes[i]!},${sizes[i]},"${tuple}"\n`;
  })
  .join('')}`;

/** A .npy file, version 1.0, of a matrix in C order. */
export function npy(
  rows: number,
  width: number,
  numbers: Float32Array | Float64Array,
  header?: string,
): Buffer {
  const type = numbers instanceof Float32Array ? '<f4' : '<f8';
  const text = header ?? `{'descr': '${type}', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const padded = `${text.padEnd(128 - 11)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    length,
    Buffer.from(padded, 'latin1'),
    new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength),
  ]);
}

export const metricsHeader =
  'config.activation,config.b_init,config.dataset,config.dropout,config.l2reg,config.learning_rate,config.optimizer,config.w_init,modeldir,step,test_accuracy,test_loss,train_accuracy,train_loss';

export interface SmallCnnZoo {
  models: number;
  epochs: readonly number[];
  dataset?: string;
  packed?: boolean;
  /** Of each network in turn. */
  activations?: readonly string[];
}

/** Writes a zoo, and returns its weights, a row for each model's epochs. */
export function writeSmallCnnZoo(
  dir: string,
  random: Random,
  { models, epochs, dataset = 'mnist', packed = true, activations = ['relu', 'tanh'] }: SmallCnnZoo,
): Float32Array {
  mkdirSync(dir, { recursive: true });
  const rows = models * epochs.length;
  const weights = random.normals(rows * columns).map((value) => value / 4);
  const lines = Array.from({ length: rows }, (_, row) => {
    const model = Math.floor(row / epochs.length);
    const config = `${activations[model % activations.length]},zeros,${dataset},0.1,0.001,0.01,rmsprop,he_normal`;
    const accuracy = 0.1 + 0.8 * random.uniform();
    return `${config},/cns/zoo/${model},${epochs[row % epochs.length]},${accuracy},1.5,${accuracy + 0.05},1.25`;
  });
  const metrics = `${metricsHeader}\n${lines.join('\n')}\n`;
  writeFileSync(join(dir, 'weights.npy'), npy(rows, columns, weights));
  writeFileSync(join(dir, packed ? 'metrics.csv.gz' : 'metrics.csv'), packed ? gzipSync(metrics) : metrics);
  writeFileSync(join(dir, 'layout.csv'), layout);
  return weights;
}
