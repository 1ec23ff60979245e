import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { glyphs } from '../../src/data/glyphs.ts';
import { datasetStage, loadImages } from '../../src/data/stage.ts';
import { startDevice } from '../../src/engine/device.ts';
import type { StageContext } from '../../src/engine/stage.ts';
import { tf } from '../../src/engine/tf.ts';
import { cnnSmall } from '../../src/nets/cnn-small.ts';
import { initialWeights } from '../../src/nets/init.ts';
import { members, splitMembers, type ZooConfig } from '../../src/zoo/members.ts';
import { zooStage } from '../../src/zoo/stage.ts';
import { prepare, trainModel } from '../../src/zoo/train.ts';
import { openZoo } from '../../src/zoo/zoo.ts';

const config: ZooConfig = {
  architecture: 'cnn-small',
  models: 4,
  seed: 5,
  epochs: 2,
  checkpoints: [0, 2],
  batch_size: 7,
  optimizer: 'adam',
  momentum: 0.9,
  learning_rate: 0.003,
  weight_decay: 0,
  activation: 'tanh',
  init: 'kaiming-uniform',
  vary: {},
  split: [0.5, 0.25, 0.25],
};

let dir = '';
let data: { train: ReturnType<typeof prepare>; test: ReturnType<typeof prepare> };
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'zoo-'));
  await startDevice('wasm', { threads: 1 });
  await mkdir(join(dir, 'images'));
  await datasetStage.execute({
    config: { dataset: 'glyphs', train_images: 60, test_images: 40 },
    inputs: {},
    dir: join(dir, 'images'),
    dataDir: undefined,
    report: () => {},
  });
  const images = await loadImages(join(dir, 'images'));
  data = { train: prepare(images.train, images), test: prepare(images.test, images) };
});
afterAll(() => rm(dir, { recursive: true }));

describe('members', () => {
  test('differ by seed only, counted from the zoo’s', () => {
    expect(members(config).map(({ id, seed }) => `${id} ${seed}`)).toEqual([
      'model-0000 5',
      'model-0001 6',
      'model-0002 7',
      'model-0003 8',
    ]);
  });

  test('take every combination of what varies for each seed, and a larger zoo begins alike', () => {
    const varied: ZooConfig = {
      ...config,
      vary: { learning_rate: [0.1, 0.2], init: ['uniform', 'normal'] },
    };
    const small = members({ ...varied, models: 1 });
    expect(
      small.map(({ seed, hyperparameters: { learning_rate, init } }) => `${seed} ${learning_rate} ${init}`),
    ).toEqual(['5 0.1 uniform', '5 0.1 normal', '5 0.2 uniform', '5 0.2 normal']);
    expect(members({ ...varied, models: 3 }).slice(0, 4)).toEqual(small);
  });

  test('are split by model in the shares asked for', () => {
    for (const [count, train, val, rest] of [
      [100, 70, 15, 15],
      [10, 7, 1, 2],
      [20, 14, 3, 3],
    ] as const) {
      const splits = splitMembers(count, [0.7, 0.15, 0.15], 3);
      const size = (split: string) => splits.filter((s) => s === split).length;
      expect([size('train'), size('val'), size('test')]).toEqual([train, val, rest]);
    }
    expect(splitMembers(50, [0.7, 0.15, 0.15], 1)).not.toEqual(splitMembers(50, [0.7, 0.15, 0.15], 2));
  });
});

describe('training a model', () => {
  // tfjs' own CPU back end takes its time.
  const few = () => {
    const cut = (set: typeof data.train, n: number) => ({
      ...set,
      images: set.images.subarray(0, n * 784),
      labels: set.labels.subarray(0, n),
    });
    return { train: cut(data.train, 17), test: cut(data.test, 5) };
  };

  test('gives the same on wasm as on tfjs’ own CPU back end, sgd and adam', async () => {
    for (const optimizer of ['adam', 'sgd'] as const) {
      const member = {
        ...members(config)[0]!,
        hyperparameters: { ...members(config)[0]!.hyperparameters, optimizer, weight_decay: 0.01 },
      };
      await startDevice('cpu', { threads: 1 });
      const oracle = trainModel(cnnSmall, { ...config, checkpoints: [2] }, member, few()).checkpoints.at(-1)!;
      await startDevice('wasm', { threads: 1 });
      const ours = trainModel(cnnSmall, { ...config, checkpoints: [2] }, member, few()).checkpoints.at(-1)!;
      expect(ours.train_loss).toBeCloseTo(oracle.train_loss, 3);
      for (const [name, values] of oracle.weights) {
        for (const [i, value] of values.entries()) expect(ours.weights.get(name)![i]!).toBeCloseTo(value, 3);
      }
    }
  });

  test('begins at the initial weights and learns', () => {
    const member = members(config)[1]!;
    const { checkpoints } = trainModel(
      cnnSmall,
      { ...config, epochs: 12, checkpoints: [0, 12] },
      member,
      data,
    );
    expect(checkpoints[0]!.weights).toEqual(initialWeights(cnnSmall, 'kaiming-uniform', member.seed));
    expect(checkpoints[1]!.train_loss).toBeLessThan(checkpoints[0]!.train_loss - 0.2);
    expect(checkpoints[1]!.train_accuracy).toBeGreaterThan(0.35);
  });

  test('leaves no tensor behind', () => {
    trainModel(cnnSmall, config, members(config)[2]!, data);
    const before = tf.memory().numTensors;
    trainModel(cnnSmall, config, members(config)[2]!, data);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('records epochs at which it has diverged', () => {
    const member = {
      ...members(config)[0]!,
      hyperparameters: {
        ...members(config)[0]!.hyperparameters,
        optimizer: 'sgd' as const,
        activation: 'relu' as const,
        learning_rate: 1e30,
      },
    };
    const { checkpoints, diverged } = trainModel(cnnSmall, config, member, data);
    expect(checkpoints.map(({ epoch }) => epoch)).toEqual([0]);
    expect(diverged).toEqual([2]);
  });
});

describe('zoo stage', () => {
  const context = (at: string): StageContext => ({
    config: { ...config } as never,
    inputs: { dataset: join(dir, 'images') },
    dir: join(dir, at),
    dataDir: undefined,
    report: () => {},
  });

  test('in parts, at once and resumed gives the same zoo', async () => {
    await Promise.all(['whole', 'parts', 'resumed'].map((name) => mkdir(join(dir, name))));
    await zooStage.execute(context('whole'));
    await zooStage.executePart!(context('parts'), 1, 2);
    expect(await readdir(join(dir, 'parts', 'models'))).toEqual([
      'model-0001.safetensors',
      'model-0003.safetensors',
    ]);
    await zooStage.executePart!(context('parts'), 0, 2);
    await zooStage.execute(context('parts'));
    await cp(join(dir, 'whole', 'models'), join(dir, 'resumed', 'models'), { recursive: true });
    await rm(join(dir, 'resumed', 'models', 'model-0002.safetensors'));
    await zooStage.execute(context('resumed'));
    const content = async (name: string) => {
      const zoo = await openZoo(join(dir, name));
      const weights = await Promise.all(zoo.manifest.models.map((model) => zoo.weights(model, 2)));
      return { manifest: zoo.manifest, weights };
    };
    const whole = await content('whole');
    expect(whole.manifest.models.map(({ split }) => split).sort()).toEqual(['test', 'train', 'train', 'val']);
    expect(whole.manifest.dataset).toBe(glyphs.name);
    expect(await content('parts')).toEqual(whole);
    expect(await content('resumed')).toEqual(whole);
  });
});
