import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { decodeModels } from '../../src/sane/decode.ts';
import { embedModels, meanEmbedding, tokensAtOnce } from '../../src/sane/embed.ts';
import { Sane } from '../../src/sane/model.ts';
import { positionTensors } from '../../src/sane/positions.ts';
import {
  batchGradients,
  epochBatches,
  type PretrainConfig,
  type PretrainState,
  pretrain,
} from '../../src/sane/pretrain.ts';
import { flatten, tokenize, tokenLayout } from '../../src/sane/tokenize.ts';
import { ViewLoader } from '../../src/sane/view-loader.ts';
import type { ViewSet } from '../../src/sane/view-thread.ts';
import { viewSettings } from '../../src/sane/views.ts';
import { snippets } from '../../src/sane/windows.ts';
import { saneShape } from '../../src/stages/sane/run.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { AdamW } from '../../src/tensor/optimizers.ts';
import { tf } from '../../src/tensor/tf.ts';
import { memoize } from '../memoize.ts';
import { cnnSmall, randomWeights } from '../nets/networks.ts';
import { testSeed } from '../seed.ts';
import { expectClose } from '../tensor/compare.ts';
import { acceleratedDevices, startTested } from '../tensor/devices.ts';
import { drawOf, inMemory, onDisk } from './view-sets.ts';

const config: PretrainConfig = {
  seed: 3,
  checkpoints: null,
  token_size: 40,
  batch_norm_tokens: false,
  positions: null,
  window: 9,
  windows_per_sample: 2,
  d_model: 16,
  latent_dim: 6,
  layers: 1,
  heads: 2,
  projection_dim: 5,
  epochs: 3,
  batch_size: 4,
  gradient_accumulation: 1,
  gradient_clip: null,
  learning_rate: 0.003,
  weight_decay: 0.01,
  gamma: 0.05,
  temperature: 0.1,
  noise: 0.1,
  view_1: 'canonical',
  view_2: 'permuted',
  permutations: null,
  permutation_protocol: 'own',
  standardization: 'per-layer',
  padding_in_loss: false,
};

const layout = tokenLayout(cnnSmall, config.token_size);
const models = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => flatten(cnnSmall, randomWeights(cnnSmall, seed + i)));
let dir = '';
let sets: Record<'train' | 'val', ViewSet>;
const loaderOf = (changes: Partial<typeof sets> = {}) =>
  new ViewLoader([{ origin: { architecture: cnnSmall, layout }, sets: { ...sets, ...changes } }]);
const fresh = (settings = config) => new Sane(saneShape([layout], settings), settings.seed);
const weightsOf = async (sane: Sane) =>
  new Map((await sane.weights()).map(({ name, data: values }) => [name, values as Float32Array]));

/** Trains from the seed, and gives losses and weights. */
async function train(settings: PretrainConfig) {
  const sane = fresh(settings);
  using loader = loaderOf();
  const history = await pretrain(sane, loader, settings);
  const weights = await weightsOf(sane);
  sane.dispose();
  return { history, weights };
}

beforeAll(async () => {
  await startDevice('wasm', { threads: 1 });
  dir = await mkdtemp(join(tmpdir(), 'pretrain-'));
  sets = { train: await onDisk(dir, 'train', models(7, 10)), val: await onDisk(dir, 'val', models(3, 90)) };
});
afterAll(() => rm(dir, { recursive: true }));

describe('pretraining', () => {
  test('interrupted after any epoch goes on to the very same weights', async () => {
    const whole = await train(config);
    using loader = loaderOf();
    for (const stopAfter of [1, 2]) {
      const first = fresh();
      let saved: { state: PretrainState; weights: Map<string, Float32Array> } | undefined;
      const stop = new Error('stop');
      const stopped = pretrain(first, loader, config, {
        onEpoch: async (state) => {
          if ((await state()).history.length < stopAfter) return;
          saved = { state: await state(), weights: await weightsOf(first) };
          throw stop;
        },
      });
      expect(await stopped.catch((error) => error)).toBe(stop);
      first.dispose();
      const second = new Sane(saneShape([layout], config), saved!.weights);
      const history = await pretrain(second, loader, config, { resume: saved!.state });
      expect(history).toEqual(whole.history);
      expect(await weightsOf(second)).toEqual(whole.weights);
      second.dispose();
    }
  });

  test('learns to reconstruct a population that has something in common', async () => {
    const [base] = models(1, 400);
    const scaled = Array.from({ length: 7 }, (_, i) => base!.map((x) => x * (2 + i / 5)));
    const settings = {
      ...config,
      epochs: 60,
      learning_rate: 0.01,
      gamma: 0,
      noise: 0,
      view_2: 'canonical',
    } as const;
    const sane = fresh(settings);
    using loader = loaderOf({
      train: await onDisk(dir, 'scaled', scaled),
      val: await onDisk(dir, 'scaled-val', scaled.slice(2, 4)),
    });
    const history = await pretrain(sane, loader, settings);
    sane.dispose();
    expect(history.at(-1)!.reconstruction).toBeLessThan(0.5 * history[0]!.reconstruction);
    expect(history.at(-1)!.validation_explained_variance).toBeGreaterThan(0.4);
    expect(history.at(-1)!.contrast).toBe(0);
  });

  test('with contrast alone trains without a decoder', async () => {
    const { history } = await train({ ...config, gamma: 1 });
    expect(history.at(-1)!.reconstruction).toBe(0);
    expect(history.at(-1)!.loss).toBeCloseTo(history.at(-1)!.contrast, 5);
  });

  test('averages accumulated gradients: two equal halves are one batch', async () => {
    // Without contrast and with all windows alike in size, the mean of two half batches' means is the whole one's.
    const settings = {
      ...config,
      window: layout.tokens,
      gamma: 0,
      noise: 0,
      view_2: 'canonical' as const,
      windows_per_sample: 1,
      epochs: 2,
    };
    using half = loaderOf({ train: { ...sets.train, samples: sets.train.samples.slice(0, 4) } });
    const run = async (changes: Partial<PretrainConfig>) => {
      const sane = fresh({ ...settings, ...changes });
      await pretrain(sane, half, { ...settings, ...changes });
      const weights = await weightsOf(sane);
      sane.dispose();
      return weights;
    };
    const whole = await run({ batch_size: 4 });
    const halves = await run({ batch_size: 2, gradient_accumulation: 2 });
    for (const [name, values] of whole) {
      for (const [i, v] of values.entries()) expect(Math.abs(halves.get(name)![i]! - v)).toBeLessThan(2e-3);
    }
  });

  test('clips only where the limit is reached', async () => {
    const plain = await train(config);
    const loose = await train({ ...config, gradient_clip: 1e6 });
    const tight = await train({ ...config, gradient_clip: 1e-3 });
    const difference = (a: typeof plain, b: typeof plain) =>
      Math.abs(a.history.at(-1)!.loss - b.history.at(-1)!.loss);
    expect(difference(plain, loose)).toBeLessThan(1e-4);
    expect(difference(plain, tight)).toBeGreaterThan(1e-4);
  });

  test('leaves no tensor behind', async () => {
    await train(config);
    const before = tf.memory().numTensors;
    await train({ ...config, gradient_accumulation: 2, gradient_clip: 1 });
    expect(tf.memory().numTensors).toBe(before);
  });

  test('says so when a batch is larger than an epoch, and when it diverges', async () => {
    await expect(train({ ...config, batch_size: 15 })).rejects.toThrow(
      'sane.batch_size is 15, but an epoch has only 14 windows: lower it',
    );
    await expect(train({ ...config, learning_rate: 1e30 })).rejects.toThrow(
      /pretraining diverged in epoch \d: the loss is .*Lower sane\.learning_rate/,
    );
  });

  test('draws every sample windows_per_sample times an epoch, repeating none in a batch if it can', () => {
    const batches = epochBatches(9, { ...config, batch_size: 3, windows_per_sample: 4 }, 5);
    expect(batches.length).toBe(12);
    const counts = new Array(9).fill(0);
    for (const batch of batches) {
      expect(new Set(batch).size).toBe(3);
      for (const i of batch) counts[i]++;
    }
    expect(counts).toEqual(new Array(9).fill(4));
    expect(epochBatches(9, config, 1)).not.toEqual(epochBatches(9, config, 2));
    expect(epochBatches(7, config, 1).length).toBe(3);
  });
});

describe('embedding', () => {
  test('cuts any length into windows that keep every token once, with context', () => {
    for (const [tokens, window, halo] of [
      [1, 4, 1],
      [4, 4, 1],
      [5, 4, 1],
      [48, 32, 8],
      [93, 32, 8],
      [97, 13, 4],
      [50, 9, 0],
    ] as const) {
      const plan = snippets(tokens, window, halo);
      expect(
        plan.flatMap(({ keep: [from, to] }) => Array.from({ length: to - from }, (_, i) => from + i)),
      ).toEqual([...Array(tokens).keys()]);
      for (const { start, keep } of plan) {
        expect(start).toBeGreaterThanOrEqual(0);
        expect(start + Math.min(window, tokens)).toBeLessThanOrEqual(tokens);
        expect(keep[0] - start).toBeGreaterThanOrEqual(start === 0 ? 0 : halo);
        expect(start + Math.min(window, tokens)).toBeGreaterThanOrEqual(keep[1]);
      }
    }
    expect(() => snippets(9, 4, 2)).toThrow('a halo of 2 on both sides leaves nothing of a window of 4');
  });

  test('does not depend on which models are embedded together', async () => {
    for (const window of [9, layout.tokens]) {
      const sane = fresh({ ...config, window });
      const many = models(70, 200);
      const together = await Array.fromAsync(embedModels(sane, layout, many));
      const alone = await Array.fromAsync(embedModels(sane, layout, [many[66]!]));
      expect(together.length).toBe(70);
      for (const [i, v] of alone[0]!.entries()) expect(together[66]![i]!).toBeCloseTo(v, 5);
      sane.dispose();
    }
  });

  test('in one sequence are those in windows that cover the network, and other ones where windows are shorter', async () => {
    const [flat] = models(1, 300);
    for (const window of [layout.tokens, 9]) {
      const sane = fresh({ ...config, window });
      const seen = (embedding: 'windows' | 'sequence') => tokensAtOnce(embedding, sane.shape, layout);
      expect([seen('windows'), seen('sequence')]).toEqual([window, layout.tokens]);
      const embed = async (embedding: 'windows' | 'sequence') =>
        (await Array.fromAsync(embedModels(sane, layout, [flat!], seen(embedding))))[0]!;
      const whole = await embed('sequence');
      const tokens = tf.tensor3d(tokenize(layout, flat!), [1, layout.tokens, layout.tokenSize]);
      const encoded = tf.tidy(() => sane.encode(tokens, positionTensors(layout.positions)));
      expectClose(whole, await encoded.data<'float32'>(), 1e-5);
      const decode = async (embedding: 'windows' | 'sequence') =>
        (
          await Array.fromAsync(decodeModels(sane, layout, [whole], { halo: true, seen: seen(embedding) }))
        )[0]!;
      const far = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
      const apart = [
        far(await embed('windows'), whole),
        far(await decode('windows'), await decode('sequence')),
      ];
      if (window === layout.tokens) expect(apart).toEqual([0, 0]);
      else for (const distance of apart) expect(distance).toBeGreaterThan(1e-4);
      tf.dispose([tokens, encoded]);
      sane.dispose();
    }
  });

  test('in one sequence are refused where attention would take too much memory', async () => {
    // This device has no kernel for attention.
    await startDevice('cpu', { threads: 1 });
    const shape = { window: 256, heads: 8 };
    expect(tokensAtOnce('sequence', shape, { tokens: 23_000 })).toBe(23_000);
    expect(tokensAtOnce('windows', shape, { tokens: 53_704 })).toBe(256);
    expect(() => tokensAtOnce('sequence', shape, { tokens: 53_704 })).toThrow(
      'attention over the 53704 tokens of a network at once takes 86 GiB on this device: set embedding to windows, or take the device native, wasm or webgpu',
    );
    await startDevice('wasm', { threads: 1 });
    expect(tokensAtOnce('sequence', shape, { tokens: 53_704 })).toBe(53_704);
  });

  test('of a model is the mean over its tokens', () => {
    expect([...meanEmbedding(Float32Array.of(1, 2, 3, 6, 5, 10), 2)]).toEqual([3, 6]);
  });
});

/** The losses, gradients and weights of one step on a device. */
async function step(on: string) {
  const settings = { ...config, layers: 2 };
  const drawn = models(settings.batch_size, 300).map((flat, i) => inMemory(flat, new Map(), `model ${i}`));
  const origin = { architecture: cnnSmall, layout };
  const views = drawOf(origin, drawn, viewSettings(settings), new Random(testSeed, 'step'));
  await startTested([on], 2);
  const sane = fresh(settings);
  const { trainable } = sane;
  const optimizer = new AdamW(trainable, { weightDecay: settings.weight_decay });
  const { gradients, parts } = tf.tidy(() => batchGradients(sane, { views }, settings));
  const named = Object.fromEntries(trainable.map(({ name }, i) => [name, gradients[i] as tf.Tensor]));
  tf.tidy(() => optimizer.step(named, { learningRate: settings.learning_rate }));
  const read = (tensors: tf.Tensor[]) =>
    Promise.all(tensors.map(async (one) => Array.from(await one.data())));
  const numbers = {
    parts: await read([parts]),
    gradients: await read(gradients),
    weights: await read(trainable.map(({ variable }) => variable)),
  };
  tf.dispose([parts, ...gradients]);
  optimizer.dispose();
  sane.dispose();
  return numbers;
}

const stepOnCpu = memoize(() => step('cpu'));
const stepsOf = (epochs: number, layers: number) => ({ ...config, epochs, layers, gradient_clip: 1 });
const trainOnCpu = memoize(async (epochs: number, layers: number) => {
  await startTested(['cpu'], 1);
  return train(stepsOf(epochs, layers));
});

describe.each(acceleratedDevices)('on %s', (device) => {
  test('losses, gradients and weights of a step are those of tfjs’ own CPU back end to 1e-4', async () => {
    const tolerance = 1e-4;
    const [expected, actual] = [await stepOnCpu(), await step(device)];
    const scaleOf = (numbers: readonly number[]) => Math.max(...numbers.map(Math.abs)) || 1;
    const compare = (is: readonly number[], wanted: readonly number[]) => {
      const scale = scaleOf(wanted);
      expectClose(
        is.map((x) => x / scale),
        wanted.map((x) => x / scale),
        tolerance,
      );
    };
    for (const what of ['parts', 'gradients'] as const)
      for (const [i, numbers] of expected[what].entries()) compare(actual[what][i]!, numbers);
    for (const [i, gradient] of expected.gradients.entries()) {
      // AdamW's first step divides a gradient by its size: of one near 0 rounding decides the sign, and moves the weight by twice the rate.
      const limit = tolerance * scaleOf(gradient);
      const clear = (weights: number[]) => weights.filter((_, j) => Math.abs(gradient[j]!) > limit);
      const [is, wanted] = [clear(actual.weights[i]!), clear(expected.weights[i]!)];
      expect(wanted.length).toBeGreaterThan(gradient.filter((g) => g !== 0).length / 2);
      compare(is, wanted);
    }
  });

  test('the steps are those that tfjs’ own CPU back end takes', async () => {
    // A software adapter takes seconds for each step: there are fewer on webgpu.
    const [epochs, layers] = device === 'webgpu' ? [1, 1] : [2, 2];
    const settings = stepsOf(epochs, layers);
    const expected = await trainOnCpu(epochs, layers);
    await startTested([device], 2);
    const actual = await train(settings);
    for (const [epoch, losses] of expected.history.entries()) {
      expectClose(Object.values(actual.history[epoch]!), Object.values(losses), 1e-4);
    }
    // AdamW divides by the size of a gradient: of one near 0 the sign may differ, and so the step by twice the rate.
    const steps =
      epochs * Math.floor((sets.train.samples.length * settings.windows_per_sample) / settings.batch_size);
    const limit = 2 * steps * settings.learning_rate;
    for (const [name, values] of expected.weights) {
      const errors = values.map((value, i) => Math.abs(value - actual.weights.get(name)![i]!));
      expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(limit / 50);
    }
  });
});
