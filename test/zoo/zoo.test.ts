import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { glyphs } from '../../src/data/glyphs.ts';
import { type Images, loadImages } from '../../src/data/images.ts';
import { initialWeights } from '../../src/nets/init.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { datasetStage } from '../../src/stages/dataset/run.ts';
import type { StageContext } from '../../src/stages/stage.ts';
import { zooStage } from '../../src/stages/zoo/run.ts';
import type { DeviceMemory } from '../../src/tensor/devices/registry.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { groupMembers, groupSize, memoryNeeds } from '../../src/zoo/groups.ts';
import {
  type Hyperparameters,
  type Member,
  members,
  splitMembers,
  type ZooConfig,
} from '../../src/zoo/members.ts';
import { readTrainingState, writeTrainingState } from '../../src/zoo/state.ts';
import { PopulationTraining, prepare, type TrainingData } from '../../src/zoo/train.ts';
import { openZoo } from '../../src/zoo/zoo.ts';
import { memoize } from '../memoize.ts';
import { cnnSmall } from '../nets/networks.ts';
import { expectClose } from '../tensor/compare.ts';
import { acceleratedDevices, compiledDevices, kernelDevices, startTested } from '../tensor/devices.ts';

const config: ZooConfig = {
  ...(defaults.zoo as unknown as ZooConfig),
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
  dropout: 0,
  activation: 'tanh',
  init: 'kaiming-uniform',
  vary: {},
  models_at_once: null,
  split: [0.5, 0.25, 0.25],
};

let dir = '';
let images: Images;
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
  images = await loadImages(join(dir, 'images'));
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

/** The first images of both splits on the active device. */
function dataOf(train: number, test: number): TrainingData {
  const cut = ({ images: pixels, labels }: Images['train'], n: number) =>
    prepare({ images: pixels.subarray(0, n * 784), labels: labels.subarray(0, n) }, images);
  return { train: cut(images.train, train), test: cut(images.test, test) };
}

/** Trains some of the members for the config's epochs. */
async function train(config: ZooConfig, which: Member[], data: TrainingData) {
  const training = new PopulationTraining(cnnSmall, config, which as [Member, ...Member[]], data);
  while (training.epoch < config.epochs) await training.trainEpoch();
  const models = training.models();
  training.dispose();
  tf.dispose([...Object.values(data.train), ...Object.values(data.test)]);
  return models;
}

const withHyperparameters = (member: Member, changed: Partial<Hyperparameters>): Member => ({
  ...member,
  hyperparameters: { ...member.hyperparameters, ...changed },
});

/** Models that differ in all that may differ within a group. */
const different = (changed: Partial<Hyperparameters>): Member[] =>
  members(config)
    .slice(0, 3)
    .map((member, i) =>
      withHyperparameters(member, {
        learning_rate: 0.002 * (i + 1),
        weight_decay: 0.01 * i,
        dropout: 0.2 * i,
        init: (['kaiming-uniform', 'xavier-normal', 'kaiming-normal'] as const)[i] as 'xavier-normal',
        ...changed,
      }),
    );

/** What tfjs' own CPU back end makes of the models that differ; the same for every device, and the slowest by far. */
const trainOnCpu = memoize(
  async (optimizer: 'adam' | 'sgd', epochs: number, trained: number, tested: number) => {
    await startDevice('cpu', { threads: 1 });
    return train(stepsOf(epochs), different({ optimizer }), dataOf(trained, tested));
  },
);
const stepsOf = (epochs: number): ZooConfig => ({ ...config, epochs, batch_size: 5, checkpoints: [epochs] });

describe('training a population', () => {
  // A software adapter takes seconds for each step: there are fewer on webgpu.
  test.each(acceleratedDevices)(
    'takes the steps on %s that it takes on tfjs’ own CPU back end, and leaves no tensor behind',
    async (device) => {
      const [epochs, trained, tested] = device === 'webgpu' ? [1, 5, 3] : [2, 7, 3];
      for (const optimizer of device === 'webgpu' ? (['adam'] as const) : (['adam', 'sgd'] as const)) {
        const oracle = await trainOnCpu(optimizer, epochs, trained, tested);
        await startTested([device], 2);
        const before = tf.memory().numTensors;
        const ours = await train(stepsOf(epochs), different({ optimizer }), dataOf(trained, tested));
        expect(tf.memory().numTensors).toBe(before);
        for (const [m, model] of oracle.entries()) {
          const [expected, actual] = [model.checkpoints[0]!, ours[m]!.checkpoints[0]!];
          expect(actual.train_loss).toBeCloseTo(expected.train_loss as number, 4);
          expect(actual.running_train_loss).toBeCloseTo(expected.running_train_loss as number, 4);
          expect(actual.running_train_accuracy).toBe(expected.running_train_accuracy);
          for (const [name, values] of expected.weights) {
            expectClose(actual.weights.get(name)!, values, 1e-4);
          }
        }
      }
    },
    300_000,
  );

  test.each(kernelDevices)('on %s gives each model what it gets alone', async (device) => {
    await startTested([device], 2);
    const together = await train(config, different({}), dataOf(23, 9));
    for (const [m, member] of different({}).entries()) {
      const [alone] = await train(config, [member], dataOf(23, 9));
      if (device !== 'tensorflow') expect(alone).toEqual(together[m]!);
      // Products of many matrices at once are added up in another order than one.
      for (const [i, { weights }] of alone!.checkpoints.entries()) {
        for (const [name, values] of weights) {
          expectClose(together[m]!.checkpoints[i]!.weights.get(name)!, values, 1e-4);
        }
      }
    }
  });

  test('begins at the initial weights and learns', async () => {
    await startDevice('wasm', { threads: 1 });
    const member = members(config)[1]!;
    const settings: ZooConfig = { ...config, epochs: 12, checkpoints: [0, 12] };
    const [model] = await train(settings, [member], dataOf(60, 40));
    const { checkpoints } = model!;
    expect(checkpoints[0]!.weights).toEqual(initialWeights(cnnSmall, 'kaiming-uniform', member.seed));
    expect(checkpoints[1]!.train_loss).toBeLessThan((checkpoints[0]!.train_loss as number) - 0.2);
    expect(checkpoints[1]!.train_accuracy).toBeGreaterThan(0.35);
  });

  test.each(acceleratedDevices)(
    'on %s counts what each step saw before it moved the weights',
    async (device) => {
      await startTested([device], 2);
      // A device in software takes a second for a step of all models.
      const some = (all: Member[]) => (device === 'webgpu' ? all.slice(0, 1) : all);
      // In one step per epoch, what training sees is what the epoch before left.
      const [all, part] = device === 'webgpu' ? [7, 4] : [23, 9];
      const settings: ZooConfig = { ...config, epochs: 2, batch_size: all, checkpoints: [0, 1, 2] };
      const still = some(different({ dropout: 0 }));
      for (const model of await train(settings, still, dataOf(all, 3))) {
        const [initial, ...trained] = model.checkpoints;
        expect(initial).toMatchObject({ running_train_accuracy: null, running_train_loss: null });
        expect(trained.length).toBe(2);
        for (const [e, checkpoint] of trained.entries()) {
          const before = model.checkpoints[e]!;
          expect(checkpoint.running_train_accuracy).toBeCloseTo(before.train_accuracy as number, 6);
          expect(checkpoint.running_train_loss).toBeCloseTo(before.train_loss as number, 4);
        }
      }
      // Of weights that do not move, it is the mean over all images, the smaller last batch included.
      const frozen = some(different({ dropout: 0, learning_rate: 0 }));
      const batches: ZooConfig = { ...config, epochs: 1, checkpoints: [1], batch_size: part };
      for (const model of await train(batches, frozen, dataOf(all, 3))) {
        const [checkpoint] = model.checkpoints;
        expect(checkpoint!.running_train_accuracy).toBeCloseTo(checkpoint!.train_accuracy as number, 6);
        expect(checkpoint!.running_train_loss).toBeCloseTo(checkpoint!.train_loss as number, 4);
      }
      // Training sees with dropout, evaluation without.
      const dropouts = different({ dropout: 0.5, learning_rate: 0 }).slice(0, 1);
      const [dropping] = await train(batches, dropouts, dataOf(all, 3));
      const { running_train_loss, train_loss } = dropping!.checkpoints[0]!;
      expect(Math.abs((running_train_loss as number) - (train_loss as number))).toBeGreaterThan(1e-3);
    },
    300_000,
  );

  test('records epochs at which a model has diverged, and spares the others', async () => {
    await startTested([kernelDevices.at(-1)!], 2);
    const rates = [1e30, 0.001];
    const two = rates.map((learning_rate, i) =>
      withHyperparameters(members(config)[i]!, { optimizer: 'sgd', activation: 'relu', learning_rate }),
    );
    const [bad, good] = await train(config, two, dataOf(30, 10));
    expect(bad!.checkpoints.map(({ epoch }) => epoch)).toEqual([0]);
    expect(bad!.diverged).toEqual([2]);
    expect(good!.checkpoints.map(({ epoch }) => epoch)).toEqual([0, 2]);
  });
});

test('groups have optimizer and activation in common, and are of nearly the same size', () => {
  const mixed = members({
    ...config,
    models: 5,
    vary: { optimizer: ['adam', 'sgd'], learning_rate: [1, 2] },
  });
  const groups = groupMembers(mixed, 4);
  expect(groups.map((group) => group.length)).toEqual([3, 4, 3, 3, 4, 3]);
  for (const group of groups) {
    expect(new Set(group.map(({ hyperparameters }) => hyperparameters.optimizer)).size).toBe(1);
  }
  expect(
    groups
      .flat()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(mixed.map(({ id }) => id));
});

describe('the size of groups', () => {
  const resnet = getArchitecture('resnet18', { input: [28, 28, 1], classes: 10, width: null });
  const gigabyte = 2 ** 30;
  const sizeOf = (changed: Partial<ZooConfig>, memory: DeviceMemory, architecture = resnet) =>
    groupSize(architecture, { ...config, batch_size: 128, ...changed }, memory);

  test('is what was asked for, or what memory has room for', () => {
    const { training, kept, outputs } = memoryNeeds(resnet, { ...config, batch_size: 128 }, 1);
    // 11.2 million parameters; two checkpoints, with running statistics.
    expect(training / 32).toBe(
      resnet.parameters.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b), 0),
    );
    expect(kept / 8).toBeGreaterThan(training / 32);
    const host = outputs + 4 * 5 * (training + kept);
    expect(sizeOf({}, { host, gpu: null })).toBe(5);
    expect(sizeOf({}, { host: host - 1, gpu: null })).toBe(4);
    expect(sizeOf({ batch_size: 512 }, { host, gpu: null })).toBeLessThan(4);
    expect(sizeOf({ checkpoints: [0, 1, 2, 3, 4] }, { host, gpu: null })).toBeLessThan(5);
    expect(sizeOf({ models_at_once: 9 }, { host: 0, gpu: null })).toBe(9);
    expect(sizeOf({}, { host: 0, gpu: null })).toBe(1);
    expect(sizeOf({ batch_size: 10 }, { host: 20 * gigabyte, gpu: null }, cnnSmall)).toBe(64);
  });

  test('counts what models give that compute at the same time, with the windows of their convolutions', () => {
    const outputs = (atOnce: number) => memoryNeeds(cnnSmall, { ...config, batch_size: 500 }, atOnce).outputs;
    expect(outputs(2)).toBeGreaterThan(2 * outputs(1));
    expect(outputs(6)).toBe(3 * outputs(2));
  });

  test('on a GPU is told by its memory, and what is kept by the machine’s', () => {
    const { training, kept, outputs } = memoryNeeds(resnet, { ...config, batch_size: 128 }, 1);
    const gpu = outputs + 4 * 3 * training;
    expect(sizeOf({}, { host: 100 * gigabyte, gpu })).toBe(3);
    expect(sizeOf({}, { host: 100 * gigabyte, gpu: gpu - 1 })).toBe(2);
    expect(sizeOf({}, { host: 4 * 2 * kept, gpu })).toBe(2);
  });

  test('is told by what a training takes', async () => {
    await startDevice('wasm', { threads: 1 });
    const small = getArchitecture('resnet18', { input: [16, 16, 1], classes: 10, width: 2 });
    const settings: ZooConfig = { ...config, batch_size: 130, checkpoints: [9], epochs: 1 };
    const image = { images: tf.zeros([130, 16, 16, 1]) as tf.Tensor4D, labels: tf.zeros([130], 'int32') };
    const data = image as TrainingData['train'];
    const before = tf.memory().numBytes;
    const two = members(settings).slice(0, 2) as [Member, Member];
    const training = new PopulationTraining(small, settings, two, { train: data, test: data });
    const { peakBytes } = await tf.profile(async () => {
      await training.trainEpoch();
      return tf.scalar(0);
    });
    training.dispose();
    tf.dispose([data.images, data.labels]);
    const needs = memoryNeeds(small, settings, 1);
    const share = (peakBytes - before) / (2 * needs.training + needs.outputs);
    expect(share).toBeGreaterThan(0.5);
    expect(share).toBeLessThan(1);
  }, 300_000);
});

describe('zoo stage', () => {
  // On GPUs models that are trained together and alone differ by rounding.
  beforeAll(() => startTested([compiledDevices.at(-1)!], 2));

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

  test('goes on from the middle of a group with the same result', async () => {
    const longer = (at: string) => ({
      ...context(at),
      config: { ...config, epochs: 3, checkpoints: [1, 3] } as never,
    });
    await Promise.all(['smooth', 'stopped'].map((name) => mkdir(join(dir, name))));
    await zooStage.execute(longer('smooth'));
    const data = dataOf(60, 40);
    const settings: ZooConfig = { ...config, epochs: 3, checkpoints: [1, 3] };
    const training = new PopulationTraining(
      cnnSmall,
      settings,
      members(config) as [Member, ...Member[]],
      data,
    );
    await training.trainEpoch();
    await training.trainEpoch();
    const path = join(dir, 'stopped', 'training', 'model-0000.safetensors');
    await mkdir(join(dir, 'stopped', 'training'));
    const ids = members(config).map(({ id }) => id);
    await writeTrainingState(path, ids, await training.state());
    expect((await readTrainingState(path)).ids).toEqual(ids);
    training.dispose();
    const told: number[] = [];
    await zooStage.execute({ ...longer('stopped'), report: ({ done }) => told.push(done) });
    // What training saw in epoch 1 came back with the state.
    for (const { checkpoints } of (await openZoo(join(dir, 'stopped'))).manifest.models)
      expect(checkpoints.map(({ running_train_accuracy: seen }) => typeof seen)).toEqual([
        'number',
        'number',
      ]);
    // Two of three epochs of four models were there.
    expect(Math.min(...told)).toBeGreaterThan(2 * 4 * 60);
    for (const name of await readdir(join(dir, 'smooth', 'models'))) {
      const bytes = (at: string) => Bun.file(join(dir, at, 'models', name)).bytes();
      expect(await bytes('stopped')).toEqual(await bytes('smooth'));
    }
    expect(await readdir(join(dir, 'stopped'))).toEqual(await readdir(join(dir, 'smooth')));
  });
});
