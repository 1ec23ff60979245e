/** Task `generation` on a small zoo that is really trained: what it measures, and that an interruption changes nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../src/base/json.ts';
import { Random } from '../../src/base/random.ts';
import { writeSafetensors } from '../../src/base/safetensors.ts';
import { loadImages } from '../../src/data/images.ts';
import { accuracies, condition, ensembleAccuracy } from '../../src/nets/accuracy.ts';
import { initialWeights } from '../../src/nets/init.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { loadSane } from '../../src/sane/checkpoint.ts';
import { decodeModels } from '../../src/sane/decode.ts';
import { embedModels } from '../../src/sane/embed.ts';
import { destandardize, standardize } from '../../src/sane/standardize.ts';
import { flatten, tokenLayout, unflatten } from '../../src/sane/tokenize.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { finetune } from '../../src/stages/generation/finetune.ts';
import { bestPrompts, type Prompt } from '../../src/stages/generation/methods.ts';
import {
  accuraciesOf,
  checkPositions,
  prepareSampling,
  type Config as SamplingConfig,
} from '../../src/stages/generation/prepare.ts';
import { transplant } from '../../src/stages/generation/transplant.ts';
import { stages } from '../../src/stages/registry.ts';
import type { TaskResult } from '../../src/stages/result.ts';
import { saneShape } from '../../src/stages/sane/run.ts';
import type { StageContext } from '../../src/stages/stage.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import type { ZooConfig } from '../../src/zoo/members.ts';
import { prepareBoth } from '../../src/zoo/train.ts';
import { type Checkpoint, openZoo } from '../../src/zoo/zoo.ts';
import { cnnSmall, oracleForward, randomWeights } from '../nets/networks.ts';
import { testSeed } from '../seed.ts';

let dir = '';
type Config = Record<string, Json>;

async function run(stage: string, config: Config, inputs: Record<string, string>, name: string = stage) {
  const at = join(dir, name);
  await mkdir(at, { recursive: true });
  const implementation = await stages[stage]!.load();
  await implementation.execute({ config, inputs, dir: at, dataDir: undefined, report: () => {} });
  return at;
}

const recipe = {
  ...defaults.zoo,
  architecture: 'cnn-small',
  models: 12,
  epochs: 4,
  checkpoints: [1, 4],
  batch_size: 25,
  learning_rate: 0.03,
};
const sane = {
  ...defaults.sane,
  seed: 1,
  token_size: 60,
  window: 30,
  d_model: 16,
  latent_dim: 6,
  layers: 1,
  heads: 2,
  epochs: 2,
  batch_size: 8,
};
const generation = {
  ...defaults.generation,
  recipe,
  models_at_once: null,
  seed: 5,
  methods: ['scratch', 'finetuned', 'kde30', 'sub', 'boot', 'gauss'],
  epochs: [0, 1, 2],
  candidates: 6,
  samples: 3,
  rounds: 2,
  // As the released code has them; the spread of this small SANE's embeddings is far smaller.
  ...{ bandwidth_unit: 'absolute', bandwidth: 0.2, gauss_sd: 10, draws: 'independent' },
  novelty_images: 0,
} as Config;
let paths: Record<'dataset' | 'zoo' | 'sane', string>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'generation-'));
  await startDevice('wasm', { threads: 1 });
  const dataset = await run('dataset', { dataset: 'glyphs', train_images: 100, test_images: 50 }, {});
  const zoo = await run('zoo', recipe as Config, { dataset });
  paths = { dataset, zoo, sane: await run('sane', sane as Config, { zoo }) };
}, 300_000);
afterAll(() => rm(dir, { recursive: true }));

const resultOf = async (at: string) => (await Bun.file(join(at, 'result.json')).json()) as TaskResult;

describe('stage generation', () => {
  test('measures every method at every epoch, without a leak', async () => {
    const before = tf.memory().numTensors;
    const methods = [...(generation.methods as string[]), 'prompts', 'noise', 'average', 'flow', 'held-out'];
    const flow = {
      components: 4,
      width: 8,
      layers: 1,
      steps: 5,
      batch_size: 3,
      learning_rate: 0.001,
      ode_steps: 2,
    };
    const config = { ...generation, methods, flow, novelty_images: 40, novelty_matches: 2 };
    await run('generation', config, paths);
    expect(tf.memory().numTensors).toBe(before);
    const all = (await resultOf(join(dir, 'generation'))).records;
    const records = all.filter(({ metric }) => metric === 'accuracy');
    const ensembles = all.filter(({ metric }) => metric === 'ensemble-accuracy');
    expect(ensembles.length).toBe(10 * 3);
    const counts = Map.groupBy(records, ({ labels: { method, epoch } }) => `${method} ${epoch}`);
    // Of 12 models 3 are test models; the zoo keeps no epoch 2, and one after the budget of fine-tuning.
    const expected = { 'scratch 0': 3, 'scratch 1': 3, 'scratch 4': 3 } as Record<string, number>;
    for (const method of methods.slice(1)) for (const epoch of [0, 1, 2]) expected[`${method} ${epoch}`] = 3;
    expect(Object.fromEntries([...counts].map(([key, { length }]) => [key, length]))).toEqual(expected);
    for (const { metric, value, labels, seeded } of all) {
      expect(value).toBeGreaterThanOrEqual(0);
      if (metric !== 'nearest-distance') expect(value).toBeLessThanOrEqual(1);
      expect(seeded).toBe(labels.method !== 'scratch');
    }
    // Novelty is that of networks before fine-tuning.
    for (const metric of ['error-overlap', 'nearest-distance']) {
      const found = all
        .filter((one) => one.metric === metric)
        .map(({ labels }) => `${labels.method} ${labels.epoch}`);
      expect(new Set(found)).toEqual(new Set(methods.slice(1).map((method) => `${method} 0`)));
      expect(found.length).toBe(3 * (methods.length - 1));
    }
    // Prompts with their noise are far nearer to a prompt than prompts are to one another, which are themselves left out.
    const distances = (method: string) =>
      all.filter(({ metric, labels }) => metric === 'nearest-distance' && labels.method === method);
    for (const { value } of distances('noise')) expect(value).toBeLessThan(0.5);
    for (const method of ['prompts', 'finetuned', 'held-out'])
      for (const { value } of distances(method)) expect(value).toBeGreaterThan(0.5);
    // The prompts themselves are trained models: as accurate before fine-tuning as the zoo says.
    const zoo = await openZoo(paths.zoo);
    const trained = zoo.manifest.models.filter(({ split }) => split === 'train').slice(0, 3);
    const untouched = records.filter(({ labels }) => labels.method === 'finetuned' && labels.epoch === 0);
    expect(untouched.map(({ value }) => value)).toEqual(
      trained.map(({ checkpoints }) => checkpoints.at(-1)!.test_accuracy),
    );
  }, 300_000);

  test('has no mean of more prompts than there are', async () => {
    const config = { ...generation, methods: ['average'], averaged: 10 } as Config;
    await expect(run('generation', config, paths, 'average')).rejects.toThrow(
      'generation.averaged is 10, and the zoo has 8 prompts: lower it, or take average out of generation.methods',
    );
  });

  test('names prompts by their place, whichever is the best', async () => {
    const config = { ...generation, epochs: [0], methods: ['prompts'] } as Config;
    const { records } = await resultOf(await run('generation', config, paths, 'prompts'));
    const zoo = await openZoo(paths.zoo);
    const trained = zoo.manifest.models.filter(({ split }) => split === 'train');
    const found = records.filter(({ metric }) => metric === 'accuracy');
    expect(found).toHaveLength(3);
    for (const { sample, value } of found) {
      const place = Number(/^prompts (\d+)$/.exec(sample as string)![1]);
      expect(value).toBe(trained[place]!.checkpoints.at(-1)!.test_accuracy);
    }
  });

  test('reconstructs the test models, all of them', async () => {
    const config = { ...generation, epochs: [0], methods: ['reconstruction'], samples: 1 } as Config;
    const { records } = await resultOf(await run('generation', config, paths, 'reconstruction'));
    const zoo = await openZoo(paths.zoo);
    const { sane: model, standardizations } = await loadSane(paths.sane);
    const layout = tokenLayout(cnnSmall, model.shape.token_size);
    const standardization = standardizations[0]!;
    const flats = await Promise.all(
      zoo.manifest.models
        .filter(({ split }) => split === 'test')
        .map(async (one) => flatten(cnnSmall, await zoo.weights(one, one.checkpoints.at(-1)!.epoch))),
    );
    const scaled = flats.map((flat) => standardize(layout, flat, standardization));
    const embeddings = await Array.fromAsync(embedModels(model, layout, scaled));
    const decoded = await Array.fromAsync(decodeModels(model, layout, embeddings, { halo: true }));
    const weights = decoded.map((flat) => unflatten(cnnSmall, destandardize(layout, flat, standardization)));
    const { test: images, train } = prepareBoth(await loadImages(paths.dataset));
    const expected = await accuracies({ architecture: cnnSmall, activation: 'tanh' }, weights, images);
    expect(expected.length).toBe(3);
    expect(records.filter(({ metric }) => metric === 'accuracy')).toEqual(
      expected.map((value, i) => ({
        ...{ metric: 'accuracy', labels: { split: 'test', method: 'reconstruction', epoch: 0 } },
        ...{ value, seeded: true, sample: `reconstruction ${i}` },
      })),
    );
    model.dispose();
    tf.dispose([...Object.values(images), ...Object.values(train)]);
  }, 300_000);

  test('gives the same again, and other draws with another seed', async () => {
    const short = { ...generation, epochs: [0], methods: ['kde30', 'gauss'] };
    const values = async (config: Config, name: string) =>
      (await resultOf(await run('generation', config, paths, name))).records.map(({ value }) => value);
    const first = await values(short, 'first');
    expect(await values(short, 'again')).toEqual(first);
    expect(await values({ ...short, bandwidth: 5, seed: 6 }, 'other')).not.toEqual(first);
  }, 300_000);
});

describe('the activation', () => {
  const relu = {
    ...recipe,
    models: 6,
    epochs: 8,
    checkpoints: [8],
    activation: 'relu',
    split: [0.5, 0.2, 0.3],
  };
  // An imported zoo is run with the recipe of the file, which need not be the one that it was trained with.
  const config = { ...generation, methods: ['scratch', 'finetuned'], epochs: [0, 1] } as Config;
  const accuraciesOf = async (at: string, method: string, epoch: number) =>
    (await resultOf(at)).records
      .filter(({ metric, labels }) => metric === 'accuracy' && labels.method === method)
      .filter(({ labels }) => labels.epoch === epoch)
      .map(({ value }) => value);

  test('is the one that the models were trained with, each test model its own', async () => {
    const { dataset } = paths;
    const home = await run('zoo', relu as Config, { dataset }, 'relu zoo');
    const zoo = await openZoo(home);
    const of = (split: string) => zoo.manifest.models.filter((model) => model.split === split);
    of('test')[0]!.hyperparameters.activation = 'gelu';
    await Bun.write(join(home, 'manifest.json'), JSON.stringify(zoo.manifest));
    const at = await run(
      'generation',
      { ...config, prompt_epoch: 8 },
      { ...paths, zoo: home },
      'relu generation',
    );
    expect(await accuraciesOf(at, 'finetuned', 0)).toEqual(
      of('train').map(({ checkpoints }) => checkpoints[0]!.test_accuracy),
    );
    const data = prepareBoth(await loadImages(dataset));
    const untrained: number[] = [];
    for (const { seed, hyperparameters } of of('test')) {
      const network = { architecture: cnnSmall, activation: hyperparameters.activation };
      const weights = initialWeights(cnnSmall, hyperparameters.init, seed);
      untrained.push(...(await accuracies(network, [weights], data.test)));
    }
    expect((await accuraciesOf(at, 'scratch', 0)).sort()).toEqual(untrained.sort());
    // Fine-tuning goes on from there.
    const networks = await Promise.all(of('train').map((model) => zoo.weights(model, 8)));
    const trained = await finetune(
      networks.map((weights, i) => ({ id: `finetuned ${i}`, weights })),
      {
        ...{ architecture: cnnSmall, recipe: relu as unknown as ZooConfig, epochs: [1], data, seed: 5 },
        ...{ models_at_once: null, dir, report: () => {} },
      },
    );
    expect(await accuraciesOf(at, 'finetuned', 1)).toEqual(trained.map(([first]) => first!.test_accuracy));
    tf.dispose([...Object.values(data.train), ...Object.values(data.test)]);
  }, 300_000);

  test('that prompts differ in is an error', async () => {
    const vary = { ...relu, models: 4, vary: { activation: ['tanh', 'relu'] }, epochs: 1, checkpoints: [1] };
    const prompts = await run('zoo', vary as Config, { dataset: paths.dataset }, 'mixed zoo');
    await expect(run('generation', config, { ...paths, prompts }, 'mixed')).rejects.toThrow(
      /^zoo .*mixed zoo: the prompts have different activations \((tanh, relu|relu, tanh)\), and a sample among them would have none: take prompts from a zoo of one activation$/,
    );
  }, 300_000);
});

test('networks in colour of an imported zoo are an error where its images were made grey', async () => {
  const { manifest } = await openZoo(paths.zoo);
  const prompts = join(dir, 'zoo in colour');
  const colour = { ...manifest, options: { ...manifest.options, input: [28, 28, 3] } };
  await Bun.write(join(prompts, 'manifest.json'), JSON.stringify(colour));
  await expect(run('generation', generation, { ...paths, prompts }, 'colour')).rejects.toThrow(
    `zoo ${prompts}: the networks see images of 3 channels, those of glyphs have 1 here: set data.grey to false, or name the images that the zoo was trained on`,
  );
});

test('candidates are chosen by the validation images where there are any', async () => {
  const config = {
    ...generation,
    epochs: [0],
    methods: ['kde30', 'sub'],
    candidates: 24,
    samples: 1,
    bandwidth: 20,
  };
  const split = async (name: string, validation?: { images: Uint8Array; labels: Uint8Array }) => {
    const { train, test } = await loadImages(paths.dataset);
    const at = join(dir, name);
    await mkdir(at, { recursive: true });
    const tensors = Object.entries({ train, test, ...(validation && { validation }) }).flatMap(
      ([key, { images, labels }]) => [
        { name: `${key}.images`, shape: [labels.length, 28, 28, 1], data: images },
        { name: `${key}.labels`, shape: [labels.length], data: labels },
      ],
    );
    await writeSafetensors(join(at, 'images.safetensors'), tensors, { dataset: 'glyphs' });
    const { records } = await resultOf(
      await run('generation', config, { ...paths, dataset: at }, `${name}-run`),
    );
    return Object.fromEntries(records.map(({ labels, value }) => [labels.method as string, value]));
  };
  const { train } = await loadImages(paths.dataset);
  const without = await split('without');
  const same = await split('same', train);
  expect(same).toEqual(without);
  // By images that are all said to be of one class, the network is chosen that sees this class most.
  const chosen = new Set<number>();
  for (let c = 0; c < 10; c++) {
    const biased = await split(`class ${c}`, { images: train.images, labels: train.labels.map(() => c) });
    expect(biased.kde30).toBe(without.kde30 as number);
    chosen.add(biased.sub as number);
  }
  expect(chosen.size).toBeGreaterThan(1);
}, 300_000);

test('fine-tuning in groups, and one that was interrupted and went on, lead to the same weights', async () => {
  const images = await loadImages(paths.dataset);
  const data = prepareBoth(images);
  const networks = [3, 4, 5].map((seed) => ({
    id: `network ${seed}`,
    weights: initialWeights(cnnSmall, 'uniform', seed),
  }));
  const settings = {
    ...{ architecture: cnnSmall, recipe: recipe as unknown as ZooConfig, epochs: [1, 3], data, seed: 2 },
    ...{ dir, stateEveryMs: 0, progressEveryMs: 0, report: () => {} },
  };
  const whole = await finetune(networks, { ...settings, models_at_once: null });
  expect(whole.map((checkpoints) => checkpoints.map(({ epoch }) => epoch))).toEqual(
    networks.map(() => [1, 3]),
  );
  for (const models_at_once of [1, 2, 3]) {
    const stop = new Error('stop');
    let told = 0;
    const interrupted = finetune(networks, {
      ...settings,
      models_at_once,
      report: ({ done, total }) => {
        told++;
        if (done > 0.8 * total) throw stop;
      },
    });
    await expect(interrupted).rejects.toBe(stop);
    const finished = await readdir(join(dir, 'finetuning', 'models'));
    expect(finished.length).toBe({ 1: 2, 2: 2, 3: 0 }[models_at_once]!);
    let left = 0;
    // Memory may have room for other groups when it goes on.
    const resumed = await finetune(networks, { ...settings, models_at_once: null, report: () => left++ });
    expect(resumed).toEqual(whole);
    expect(left).toBeLessThan(told);
    expect(await readdir(dir)).not.toContain('finetuning');
  }
  tf.dispose([...Object.values(data.train), ...Object.values(data.test)]);
}, 300_000);

test('the best prompts are those most accurate, one at least', () => {
  const prompts = [0.3, 0.9, 0.1, 0.7].map((accuracy) => ({ accuracy }) as Prompt);
  const chosen = (share: number) => bestPrompts(prompts, share).map(({ accuracy }) => accuracy);
  expect(chosen(0.5)).toEqual([0.9, 0.7]);
  expect(chosen(0.01)).toEqual([0.9]);
  expect(chosen(1)).toEqual([0.9, 0.7, 0.3, 0.1]);
});

test('prompts are compared on the images that are asked for, all by the same accuracy', () => {
  const checkpoint = (test_accuracy: number, train: number | null, running: number | null) =>
    ({ epoch: 1, test_accuracy, train_accuracy: train, running_train_accuracy: running }) as Checkpoint;
  const [both, running] = [checkpoint(0.5, 0.7, 0.6), checkpoint(0.4, null, 0.8)];
  expect(accuraciesOf([both, running], 'test')).toEqual([0.5, 0.4]);
  expect(accuraciesOf([both, both], 'train')).toEqual([0.7, 0.7]);
  expect(accuraciesOf([both, running], 'train')).toEqual([0.6, 0.8]);
  expect(() => accuraciesOf([checkpoint(0.5, 0.7, null), running], 'train')).toThrow(
    'the zoo has train_accuracy for some of the prompts and only running_train_accuracy for others, so that they cannot be ranked: give one of both for all, or set generation.prompt_accuracy to test',
  );
});

test('prompts are embedded and samples decoded in one sequence where that is asked for', async () => {
  const by = async (embedding: 'windows' | 'sequence') => {
    const config = { ...generation, embedding, methods: ['kde30'] } as unknown as SamplingConfig;
    const context = { inputs: paths as Record<string, string> } as StageContext;
    const sampling = await prepareSampling(context, config);
    const [{ embedding: prompt }] = sampling.prompts as [Prompt];
    const [decoded] = await sampling.samplerOf('kde30').decode([new Float32Array(prompt.length).fill(0.1)]);
    sampling.dispose();
    return { prompt, decoded };
  };
  const [windows, sequence] = [await by('windows'), await by('sequence')];
  // The network has more tokens than a window.
  expect(sequence.prompt).not.toEqual(windows.prompt);
  expect(sequence.decoded).not.toEqual(windows.decoded);
});

test('networks with batch norm are sampled, conditioned and fine-tuned', async () => {
  const small = {
    ...recipe,
    ...{
      architecture: 'resnet18',
      width: 2,
      models: 6,
      epochs: 1,
      checkpoints: [1],
      split: [0.5, 0.25, 0.25],
    },
    ...{ optimizer: 'sgd', learning_rate: 0.05, activation: 'relu', init: 'kaiming-uniform' },
    ...{ schedule: 'one-cycle', crop_padding: 2, flip: true },
  } as Config;
  const { dataset } = paths;
  const zoo = await run('zoo', small, { dataset }, 'batch-norm zoo');
  const saneConfig = { ...sane, token_size: 40, batch_size: 2, epochs: 1 } as Config;
  const inputs = { dataset, zoo, sane: await run('sane', saneConfig, { zoo }, 'batch-norm sane') };
  const config = {
    ...{ ...generation, recipe: small, methods: ['kde30'], epochs: [0, 1] },
    ...{ samples: 2, candidates: 2, conditioning_batch_size: 8 },
  } as Config;
  const before = tf.memory().numTensors;
  const at = await run('generation', { ...config, conditioning_batches: 3 }, inputs, 'conditioned');
  // Two networks and both together, at two epochs.
  expect((await resultOf(at)).records.length).toBe(6);
  expect(tf.memory().numTensors).toBe(before);
}, 300_000);

test('an ensemble is the class of the largest mean logit', async () => {
  const network = { architecture: cnnSmall, activation: 'tanh' as const };
  const models = [1, 2, 3].map((seed) => randomWeights(cnnSmall, testSeed + seed));
  const pixels = new Random(testSeed, 'images').normals(15 * 784);
  const labels = Int32Array.from({ length: 15 }, (_, i) => i % 10);
  const logits = Array.from(labels, (_, i) => {
    const image = pixels.subarray(i * 784, (i + 1) * 784);
    const each = models.map((model) => oracleForward(cnnSmall, model, image, Math.tanh));
    return each[0]!.map((_, c) => each.reduce((sum, one) => sum + one[c]!, 0));
  });
  const right = logits.filter((sums, i) => sums.indexOf(Math.max(...sums)) === labels[i]).length;
  const data = { images: tf.tensor4d(pixels, [15, 28, 28, 1]), labels: tf.tensor1d(labels, 'int32') };
  expect(await ensembleAccuracy(network, models, data)).toBeCloseTo(right / 15, 6);
  tf.dispose([data.images, data.labels]);
});

test('conditioning brings running statistics to those of the images, and changes nothing else', async () => {
  const architecture = getArchitecture('resnet18', { input: [16, 16, 1], classes: 10, width: 2 });
  const network = { architecture, activation: 'relu' as const };
  const models = [1, 2].map((seed) => randomWeights(architecture, seed));
  const images = tf.tensor4d(new Random(testSeed, 'images').normals(20 * 256), [20, 16, 16, 1]);
  const before = tf.memory().numTensors;
  const stream = () => new Random(testSeed, 'order');
  const [first, second] = await condition(network, models, images, { batches: 60, size: 10 }, stream());
  const [alone] = await condition(network, models.slice(1), images, { batches: 60, size: 10 }, stream());
  expect(tf.memory().numTensors).toBe(before);
  expect(second).toEqual(alone!);
  const buffers = new Set(architecture.buffers.map(({ name }) => name));
  for (const [name, values] of first!) {
    if (buffers.has(name)) expect(values).not.toEqual(models[0]!.get(name)!);
    else expect(values).toEqual(models[0]!.get(name)!);
  }
  // What the first normalisation sees is the stem's output, whose mean over all images it comes near to.
  const stem = models[0]!.get('conv1.weight')!;
  const means = await tf
    .tidy(() => {
      const filter = tf.transpose(tf.tensor4d(stem, [2, 1, 3, 3]), [2, 3, 1, 0]) as tf.Tensor4D;
      return tf.mean(tf.conv2d(images, filter, 1, 'same'), [0, 1, 2]);
    })
    .data();
  const running = first!.get('bn1.running_mean')!;
  for (const [c, value] of means.entries()) expect(Math.abs(running[c]! - value)).toBeLessThan(0.2);
  const plain = { architecture: cnnSmall, activation: 'tanh' as const };
  const cnn = randomWeights(cnnSmall, 3);
  expect(await condition(plain, [cnn], images, { batches: 5, size: 4 }, stream())).toEqual([cnn]);
  images.dispose();
}, 300_000);

describe('transfer', () => {
  test('draws a new classifier for other classes, and keeps the rest', () => {
    const options = { input: [28, 28, 1] as [number, number, number], width: 2 };
    const from = getArchitecture('resnet18', { ...options, classes: 10 });
    const to = getArchitecture('resnet18', { ...options, classes: 7 });
    const model = randomWeights(from, 4);
    const moved = transplant(model, to, new Random(testSeed, 'head'));
    expect([...moved.keys()]).toEqual(to.state.map(({ name }) => name));
    for (const [name, values] of moved) if (!name.startsWith('fc.')) expect(values).toBe(model.get(name)!);
    expect([moved.get('fc.weight')!.length, moved.get('fc.bias')!.length]).toEqual([7 * 16, 7]);
    const bound = 1 / Math.sqrt(16);
    const drawn = [...moved.get('fc.weight')!];
    expect(drawn.every((x) => Math.abs(x) <= bound)).toBe(true);
    expect(Math.max(...drawn)).toBeGreaterThan(0.8 * bound);
    expect(transplant(model, from, new Random(1, 'head'))).toEqual(model);
    const colour = getArchitecture('resnet18', { input: [28, 28, 3], classes: 10, width: 2 });
    expect(() => transplant(model, colour, new Random(1, 'head'))).toThrow(
      'resnet18: conv1.weight has 18 numbers in the networks and needs 54 here: choose a target data set with images of the same size and channels',
    );
  });

  test('takes prompts from another zoo, and measures on another data set', async () => {
    const other = { ...recipe, models: 4, seed: 50, split: [0.5, 0.25, 0.25] } as Config;
    const prompts = await run('zoo', other, { dataset: paths.dataset }, 'other zoo');
    // The drawn images once more, under another name.
    const file = join(dir, 'target');
    const { train, test: tests } = await loadImages(paths.dataset);
    await mkdir(file, { recursive: true });
    const tensors = Object.entries({ train, test: tests }).flatMap(([split, { images, labels }]) => [
      { name: `${split}.images`, shape: [labels.length, 28, 28, 1], data: images },
      { name: `${split}.labels`, shape: [labels.length], data: labels },
    ]);
    await writeSafetensors(join(file, 'images.safetensors'), tensors, { dataset: 'fashion-mnist' });
    const config = { ...generation, methods: ['scratch', 'finetuned', 'sub'], epochs: [0, 1] };
    const at = await run('generation', config, { ...paths, dataset: file, prompts }, 'transfer');
    const zoo = await openZoo(prompts);
    const two = zoo.manifest.models.filter(({ split }) => split === 'train');
    // On the images of the prompts' zoo too networks from scratch have the budget of the samples, and are as many.
    const near = await run('generation', config, { ...paths, prompts }, 'near another zoo');
    const scratch = (await resultOf(near)).records.filter(
      ({ metric, labels }) => metric === 'accuracy' && labels.method === 'scratch',
    );
    expect(scratch.map(({ labels }) => labels.epoch).sort()).toEqual([0, 0, 0, 1, 1, 1]);
    expect(scratch.every(({ seeded }) => seeded)).toBe(true);
    const { records } = await resultOf(at);
    const of = (method: string, epoch: number) =>
      records.filter(
        ({ metric, labels }) => metric === 'accuracy' && labels.method === method && labels.epoch === epoch,
      );
    expect(of('finetuned', 0).map(({ value }) => value)).not.toEqual([]);
    expect(of('finetuned', 0).length).toBe(two.length);
    // No zoo was trained on these images, so as many as the samples are.
    expect(of('scratch', 1).length).toBe(3);
    expect(of('sub', 1).length).toBe(3);
  }, 300_000);

  test('says what positions SANE must know', async () => {
    const { description, sane: model } = await loadSane(paths.sane);
    model.dispose();
    const large = getArchitecture('resnet18', { input: [28, 28, 1], classes: 10, width: 2 });
    expect(() => checkPositions(tokenLayout(large, 60), description.shape, large.name)).toThrow(
      /^resnet18 has \d+ tokens, 21 layers and up to 16 rows in a layer; this SANE has positions for \d+, 5, 20: set sane\.positions to at least \[\d+, 21, 16\]$/,
    );
    const needed = saneShape([tokenLayout(cnnSmall, 60)], { ...sane, positions: [500, 30, 9] } as never);
    expect(needed.positions).toEqual([500, 30, 20]);
  });
});
