/** `exp sample` on a zoo and a SANE of this program: its defaults, --evaluate, and the warning. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../../src/base/json.ts';
import { FormatError } from '../../src/base/source.ts';
import { Evaluation } from '../../src/commands/sample/evaluation.ts';
import { loadImages } from '../../src/data/images.ts';
import { accuracies } from '../../src/nets/accuracy.ts';
import type { ArchitectureOptions } from '../../src/nets/architecture.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { datasetStage } from '../../src/stages/dataset/run.ts';
import { saneStage } from '../../src/stages/sane/run.ts';
import { zooStage } from '../../src/stages/zoo/run.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { readCheckpoint } from '../../src/zoo/formats/checkpoint.ts';
import { prepareBoth, type TrainingData } from '../../src/zoo/train.ts';
import { cnnSmall } from '../nets/networks.ts';
import { runStage } from '../zoo/on-disk.ts';
import { exp, inProcess } from './program.ts';

// Minutes on a busy machine.
setDefaultTimeout(300_000);

let dir = '';
let data: TrainingData;
let sane = '';
let prompts = '';
const zooConfig = {
  ...{ ...defaults.zoo, architecture: 'cnn-small', models: 8, epochs: 3, checkpoints: [3] },
  ...{ init: 'kaiming-uniform', batch_size: 10, learning_rate: 0.003, split: [0.5, 0.25, 0.25] },
};
const saneConfig = {
  ...{ ...defaults.sane, seed: 1, token_size: 60, window: 40, d_model: 48, latent_dim: 24 },
  ...{ layers: 1, heads: 2, epochs: 150, batch_size: 4, learning_rate: 0.003, gamma: 0 },
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sample-'));
  await startDevice('native', { threads: 1 });
  const stage = (
    implementation: typeof zooStage,
    config: object,
    inputs: Record<string, string>,
    name: string,
  ) => runStage(implementation, config as JsonObject, inputs, join(dir, name));
  const few = await stage(datasetStage, { dataset: 'glyphs', train_images: 400, test_images: 50 }, {}, 'few');
  const zoo = await stage(zooStage, zooConfig, { dataset: few }, 'zoo');
  sane = await stage(saneStage, saneConfig, { zoo }, 'sane');
  prompts = join(zoo, 'models');
  const all = { dataset: 'glyphs', train_images: null, test_images: null };
  data = prepareBoth(await loadImages(await stage(datasetStage, all, {}, 'all')));
});
afterAll(async () => {
  tf.dispose([...Object.values(data.train), ...Object.values(data.test)]);
  await rm(dir, { recursive: true });
});

const argumentsOf = (out: string, ...options: string[]) => [
  ...['sample', prompts, '--sane', sane, '--out', join(dir, out), '--device', 'native'],
  ...options,
];

const sample = (out: string, ...options: string[]) => inProcess(...argumentsOf(out, ...options));

/** Accuracies of the networks in these files. */
async function accuraciesOf(files: readonly string[], split: 'train' | 'test', activation: 'tanh' | 'relu') {
  const models = await Promise.all(files.map(async (file) => (await readCheckpoint(file)).weights));
  return accuracies({ architecture: cnnSmall, activation }, models, data[split]);
}

interface Written {
  file: string;
  train_accuracy: number;
  test_accuracy: number;
}

describe('exp sample --evaluate', () => {
  test('writes the best of the candidates by training images, the best first, with their accuracies', async () => {
    const all = await sample('all-samples', '--count', '5', '--json');
    const best = await sample('best', '--count', '3', '--candidates', '5', '--evaluate', 'glyphs', '--json');
    const candidates = (JSON.parse(all.out) as Written[]).map(({ file }) => file);
    const scores = (await accuraciesOf(candidates, 'train', 'tanh')).sort((a, b) => b - a);
    const written = JSON.parse(best.out) as Written[];
    const files = written.map(({ file }) => file);
    expect(files).toEqual([0, 1, 2].map((i) => join(dir, 'best', `sample-000${i}.safetensors`)));
    expect((await readdir(join(dir, 'best'))).length).toBe(3);
    const close = (values: number[]) => values.map((value) => expect.closeTo(value, 6));
    expect(written.map(({ train_accuracy }) => train_accuracy)).toEqual(close(scores.slice(0, 3)));
    expect(await accuraciesOf(files, 'train', 'tanh')).toEqual(close(scores.slice(0, 3)));
    expect(written.map(({ test_accuracy }) => test_accuracy)).toEqual(
      close(await accuraciesOf(files, 'test', 'tanh')),
    );
    expect(best.err).toMatch(
      /^evaluating cnn-small with tanh on 10000 training images of glyphs; 8 prompts have a test accuracy of 0\.\d{4} to 0\.\d{4}$/m,
    );
    expect(best.code).toBe(0);
  });

  test('runs the networks with the activation that is given, and prints a line for each', async () => {
    const { out } = await sample(
      'relu',
      ...['--count', '2', '--candidates', '2', '--evaluate', 'glyphs', '--activation', 'relu'],
    );
    const files = [0, 1].map((i) => join(dir, 'relu', `sample-000${i}.safetensors`));
    const scores = await accuraciesOf(files, 'test', 'relu');
    expect(out).toBe(files.map((file, i) => `${file}  test accuracy ${scores[i]?.toFixed(4)}\n`).join(''));
  });

  test('says what is wrong', async () => {
    const cases: [string[], string][] = [
      [['--candidates', '5'], '--candidates needs --evaluate, which chooses from them\n  --evaluate mnist'],
      [
        ['--evaluate', 'glyphs', '--candidates', '5'],
        '--candidates 5 is less than --count 10\n  raise one or lower the other',
      ],
    ];
    for (const [options, message] of cases) {
      const { code, err } = await sample('wrong', ...options);
      expect([code, err]).toEqual([2, `exp: ${message}\n`]);
    }
  });
});

test('networks that cannot classify the images are errors that name the remedy', async () => {
  const errorOf = (shapes: ReadonlyMap<string, readonly number[]>) =>
    Evaluation.open(
      { network: { path: 'a.pt', shapes }, zoo: { activation: null } },
      { dataset: 'glyphs', activation: undefined, dataDir: undefined, seed: 0 },
    ).then(
      () => 'none',
      (error: unknown) => (error instanceof FormatError ? error.message : `thrown: ${error}`),
    );
  const shapesOf = (name: string, options: ArchitectureOptions) =>
    new Map(getArchitecture(name, options).state.map((tensor) => [tensor.name, tensor.shape]));
  expect(await errorOf(new Map([['a.weight', [3, 5]]]))).toBe(
    'a.pt: a network of no known architecture, which cannot classify images here; leave out --evaluate, or pretrain the SANE on a zoo whose layers are written under architectures',
  );
  expect(await errorOf(shapesOf('cnn-large', { input: [32, 32, 3], classes: 10, width: null }))).toBe(
    'a.pt: this cnn-large is not for images of 28x28x1, as those of glyphs are here; give --evaluate the data set that it was trained on',
  );
  expect(await errorOf(shapesOf('resnet18', { input: [28, 28, 1], classes: 7, width: 4 }))).toBe(
    'a.pt: a network for 7 classes, and glyphs has 10: give --evaluate the data set that it was trained on',
  );
});

test('samples that lie far from the prompts are warned of', async () => {
  // In a process of its own, which ends by itself.
  const near = await exp(...argumentsOf('near', '--count', '4'));
  expect(near.code).toBe(0);
  expect(near.err).not.toContain('warning: 4 of 4');
  const far = await sample('far', '--count', '4', '--bandwidth', '1000');
  expect(far.err).toMatch(
    /^warning: 4 of 4 samples are far from every prompt, up to [\d.]+ of the distance between prompts \(one prompt: of its length\); such networks are seldom accurate: lower --bandwidth or use --draws shared, or this SANE reconstructs the prompts badly$/m,
  );
});
