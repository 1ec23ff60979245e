import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import type { Architecture, StateDict } from '../../src/nets/architecture.ts';
import { derive } from '../../src/nets/derive.ts';
import { getArchitecture } from '../../src/nets/registry.ts';
import { type BehaviourLoss, behaviourLoss, networksOf } from '../../src/sane/behaviour.ts';
import { Sane } from '../../src/sane/model.ts';
import { batchGradients, type PretrainConfig, pretrain } from '../../src/sane/pretrain.ts';
import { destandardize, fitStandardization, standardize } from '../../src/sane/standardize.ts';
import { flatten, tokenize, tokenLayout, unflatten } from '../../src/sane/tokenize.ts';
import { pretrainInFolder } from '../../src/sane/training.ts';
import { ViewLoader } from '../../src/sane/view-loader.ts';
import { drawViews, type TwoViews, viewSettings } from '../../src/sane/views.ts';
import { tokensOf } from '../../src/stages/cost.ts';
import { networkFor } from '../../src/stages/sane/behaviour.ts';
import { saneShape } from '../../src/stages/sane/run.ts';
import { tf } from '../../src/tensor/tf.ts';
import { cnnLarge, cnnSmall, oracleLogits, randomWeights } from '../nets/networks.ts';
import { expectClose } from '../tensor/compare.ts';
import { compiledDevices, startTested } from '../tensor/devices.ts';
import { matrixOf, oracleDecode, oracleEncode, type Vector, type Weights } from './oracle.ts';
import { inMemory, onDisk } from './view-sets.ts';

const tiny: Architecture = derive({
  ...{ name: 'tiny', description: '', input: [5, 6, 1], classes: 3 },
  layers: [
    { kind: 'conv2d', name: 'conv', inputs: 1, outputs: 2, kernel: 2 },
    { kind: 'max-pool' },
    { kind: 'activation' },
    { kind: 'flatten' },
    { kind: 'linear', name: 'head', inputs: 8, outputs: 3 },
  ],
});

const config: PretrainConfig = {
  ...{ seed: 3, checkpoints: null, token_size: 5, batch_norm_tokens: false, positions: null, window: 99 },
  ...{ windows_per_sample: 2, d_model: 8, latent_dim: 3, layers: 1, heads: 2, projection_dim: 4 },
  ...{ epochs: 3, batch_size: 3, gradient_accumulation: 1, gradient_clip: null, learning_rate: 0.003 },
  ...{
    weight_decay: 0.01,
    gamma: 0.05,
    temperature: 0.1,
    noise: 0.1,
    view_1: 'canonical',
    view_2: 'permuted',
  },
  ...{
    permutations: null,
    permutation_protocol: 'own',
    standardization: 'per-layer',
    padding_in_loss: false,
  },
  ...{ beta: 0.3, queries: 4 },
};

const layout = tokenLayout(tiny, config.token_size);
const flats = Array.from({ length: 5 }, (_, i) => flatten(tiny, randomWeights(tiny, 20 + i)));
const standardization = fitStandardization(layout, flats);
const pixels = new Random(2, 'images').normals(7 * 30);
const network = { architecture: tiny, activation: 'tanh' } as const;
const shape = saneShape([layout], config);

/** A loss on images of the active device. */
function onImages<T>(use: (loss: BehaviourLoss) => T): T {
  const images = tf.tensor4d(pixels, [7, 5, 6, 1]);
  const parts = { network, layout, standardization, images, queries: 4 };
  const result = use(behaviourLoss(parts));
  const dispose = () => images.dispose();
  if (result instanceof Promise) return result.finally(dispose) as T;
  dispose();
  return result;
}

let dir = '';
beforeAll(async () => {
  await startTested(['cpu', ...compiledDevices], 2);
  dir = await mkdtemp(join(tmpdir(), 'behaviour-'));
});
afterAll(() => rm(dir, { recursive: true }));

test('tokens are made into the weights that they are of', async () => {
  for (const device of ['cpu', ...compiledDevices]) {
    await tf.setBackend(device);
    for (const statistics of [standardization, null]) {
      const scaled = flats.map((flat) => (statistics ? standardize(layout, flat, statistics) : flat));
      const named = tf.tidy(() => {
        const rows = scaled.map((flat) => [...tokenize(layout, flat)]);
        const tokens = tf.tensor3d(rows.flat(), [5, layout.tokens, layout.tokenSize]);
        return [...networksOf({ architecture: tiny, layout, standardization: statistics }, tokens)];
      });
      const back = scaled.map((flat) => (statistics ? destandardize(layout, flat, statistics) : flat));
      for (const [name, tensor] of named) {
        const expected = back.flatMap((flat) => [...(unflatten(tiny, flat).get(name) as Float32Array)]);
        expectClose(await tensor.data(), expected, 1e-6);
        tensor.dispose();
      }
    }
  }
});

test('tokens that are not a whole network are refused', () => {
  const parts = { architecture: tiny, layout, standardization };
  const window = tf.zeros<tf.Rank.R3>([2, layout.tokens - 1, 5]);
  expect(() => networksOf(parts, window)).toThrow('tiny: its tokens are not the whole network');
  window.dispose();
});

/** L = weight of structure times the mean squared error of the weights plus that of behaviour times the behaviour loss, in float64. */
function oracleLoss(
  views: TwoViews,
  weights: Weights,
  [structure, behaviour]: [number, number],
  drawn: number[],
) {
  const { rows, window, tokens, mask, positions } = views;
  const sources = [...layout.source]
    .entries()
    .filter(([, number]) => number >= 0)
    .toArray();
  let [squares, counted, differences] = [0, 0, 0];
  const images = drawn.map((i) => pixels.subarray(30 * i, 30 * (i + 1)));
  const answers = (own: ArrayLike<number>): Vector[] => {
    const flat = new Float64Array(layout.numbers);
    for (const [place, number] of sources) {
      const layer = layout.layers[layout.positions[3 * Math.floor(place / layout.tokenSize) + 1] as number];
      const { mean, sd } = standardization[layer!.name]!;
      flat[number] = (own[place] as number) * sd + mean;
    }
    let at = 0;
    const state = new Map(
      tiny.state.map(({ name, shape }) => {
        const size = shape.reduce((a, b) => a * b);
        at += size;
        return [name, flat.slice(at - size, at)] as const;
      }),
    );
    // The oracle only reads numbers, whatever their kind.
    const logits = oracleLogits(tiny, state as unknown as StateDict, images, Math.tanh, { training: false });
    return logits.map((row) => {
      const sum = row.reduce((total, x) => total + Math.exp(x), 0);
      return row.map((x) => Math.exp(x) / sum);
    });
  };
  for (let row = 0; row < rows; row++) {
    const perRow = window * layout.tokenSize;
    const own = tokens.subarray(row * perRow, (row + 1) * perRow);
    const places = matrixOf(Float32Array.from(positions), 3).slice(row * window, (row + 1) * window);
    const z = oracleEncode(matrixOf(own, layout.tokenSize), places, weights, config);
    const decoded = oracleDecode(z, places, weights, config).flat();
    for (const [i, x] of decoded.entries()) {
      if (mask[row * perRow + i] === 0) continue;
      squares += (x - (own[i] as number)) ** 2;
      counted++;
    }
    const [wanted, given] = [answers(own), answers(decoded)];
    differences += given.flat().reduce((sum, p, i) => sum + (p - wanted.flat()[i]!) ** 2, 0);
  }
  return (structure * squares) / counted + (behaviour * differences) / (rows * images.length * tiny.classes);
}

describe.each(['cpu', ...compiledDevices])('on %s', (device) => {
  test('gradients through decoder, network and softmax are those of float64 code', async () => {
    await tf.setBackend(device);
    const origin = { architecture: tiny, layout };
    const models = flats
      .slice(0, 2)
      .map((flat, i) => ({ ...inMemory(flat, new Map(), `${i}`), origin, standardization }));
    const views = drawViews(models, { ...viewSettings(config), window: shape.window }, new Random(4));
    const sane = new Sane(shape, 9);
    const weights = { reconstruction: 0.4, contrast: 0, behaviour: 30 };
    const before = tf.memory().numTensors;
    const [gradients, parts] = onImages((loss) => {
      const batch = {
        views,
        behaviour: (...tokens: [tf.Tensor3D, tf.Tensor3D]) => loss(...tokens, new Random(6)),
      };
      const { gradients, parts } = tf.tidy(() => batchGradients(sane, batch, config, weights));
      return [gradients, parts] as const;
    });
    const random = new Random(6);
    const drawn = Array.from({ length: 4 }, () => random.integer(7));
    const numbers = new Map(
      sane.parameters.map(({ name, shape }, i) => {
        const values = sane.trainable[i]!.variable.dataSync() as Float32Array;
        return [name, matrixOf(values, shape.at(-1)!)] as const;
      }),
    );
    const loss = () =>
      oracleLoss(views, (name) => numbers.get(name)!, [weights.reconstruction, weights.behaviour], drawn);
    const [total, structure, , behaviour] = parts.dataSync();
    expectClose([total!], [loss()], 1e-5);
    expectClose([total!], [0.4 * structure! + 30 * behaviour!], 1e-5);
    // The share of behaviour is not lost beside the other's.
    expect((30 * behaviour!) / total!).toBeGreaterThan(0.2);
    const [is, wanted]: [number[], number[]] = [[], []];
    for (const [i, { name }] of sane.parameters.entries()) {
      if (name.startsWith('projection_head')) continue;
      const matrix = numbers.get(name)!;
      const gradient = gradients[i]!.dataSync();
      const place = Math.floor(gradient.length / 2);
      const row = matrix[Math.floor(place / matrix[0]!.length)]!;
      const column = place % row.length;
      const value = row[column]!;
      const at = (x: number) => {
        row[column] = x;
        return loss();
      };
      wanted.push((at(value + 1e-5) - at(value - 1e-5)) / 2e-5);
      row[column] = value;
      is.push(gradient[place]!);
    }
    const scale = Math.max(...wanted.map(Math.abs));
    expect(wanted.filter((x) => Math.abs(x) > 1e-3 * scale).length).toBeGreaterThan(wanted.length / 3);
    expectClose(
      is.map((x) => x / scale),
      wanted.map((x) => x / scale),
      2e-5,
    );
    tf.dispose([...gradients, parts]);
    expect(tf.memory().numTensors).toBe(before);
    sane.dispose();
  });
});

describe('pretraining', () => {
  const loaderOf = async () => {
    const sets = {
      train: await onDisk(dir, 'train', flats),
      val: await onDisk(dir, 'val', flats.slice(0, 2)),
    };
    return new ViewLoader([{ origin: { architecture: tiny, layout }, sets }]);
  };
  const fitted = { ...config, window: shape.window };

  test('has its losses divided by those of the first batch, and leaves no tensor behind', async () => {
    await tf.setBackend('wasm');
    using loader = await loaderOf();
    const once = { ...fitted, epochs: 1, windows_per_sample: 1, batch_size: 5 };
    const train = async (settings: PretrainConfig) => {
      const sane = new Sane(shape, 3);
      const asks = (settings.beta ?? 1) < 1;
      const history = await onImages((loss) =>
        pretrain(sane, loader, settings, { behaviour: asks ? loss : undefined }),
      );
      sane.dispose();
      return history[0]!;
    };
    await train(once);
    const before = tf.memory().numTensors;
    // An epoch of one batch: every part is 1, whatever its weight.
    const mixed = await train({ ...once, gradient_accumulation: 2 });
    expect(mixed.loss).toBeCloseTo(1, 5);
    expect(mixed.behaviour).toBeGreaterThan(0);
    expect(mixed.reconstruction).toBeGreaterThan(0.1);
    const alone = await train({ ...once, beta: 0 });
    expect(alone.loss).toBeCloseTo(1, 5);
    expect(alone.reconstruction).toBe(0);
    expect(alone.behaviour).toBe(mixed.behaviour!);
    const structure = await train({ ...once, beta: 1 });
    expect(structure.loss).toBeCloseTo(1, 5);
    expect(structure).not.toHaveProperty('behaviour');
    const asBefore = await train({ ...once, beta: null });
    expect(asBefore.loss).toBeCloseTo(0.95 * asBefore.reconstruction + 0.05 * asBefore.contrast, 5);
    expect(tf.memory().numTensors).toBe(before);
    const sane = new Sane(shape, 3);
    await expect(pretrain(sane, loader, once)).rejects.toThrow(
      'sane.beta is 0.3, and there is no behaviour loss to weigh',
    );
    sane.dispose();
  });

  test('interrupted in a later epoch goes on to the very same files', async () => {
    await tf.setBackend('wasm');
    using loader = await loaderOf();
    const run = async (folder: string, stopAt: number) => {
      const report = ({ done }: { done: number }) => {
        if (done === stopAt) throw new Error('stop');
      };
      const save = async (sane: Sane) => {
        for (const { name, data } of await sane.weights()) await Bun.write(join(folder, name), data);
      };
      const create = (weights: ConstructorParameters<typeof Sane>[1]) => new Sane(shape, weights);
      await onImages((behaviour) =>
        pretrainInFolder({ dir: folder, report }, loader, fitted, create, save, {
          behaviour,
          stateEveryMs: 0,
        }),
      );
    };
    const [whole, resumed] = [join(dir, 'whole'), join(dir, 'resumed')];
    for (const folder of [whole, resumed]) await mkdir(folder);
    await run(whole, -1);
    await expect(run(resumed, 4)).rejects.toThrow('stop');
    expect(await Bun.file(join(resumed, 'training.safetensors')).exists()).toBe(true);
    await run(resumed, -1);
    for (const name of ['history.json', 'detokenizer.weight', 'tokenizer.weight']) {
      expect(await Bun.file(join(resumed, name)).bytes()).toEqual(await Bun.file(join(whole, name)).bytes());
    }
  });
});

test('networks that cannot all be asked alike are an error with the remedy', () => {
  const zoo = { dir: 'z', architecture: tiny };
  const images = { name: 'glyphs', shape: [5, 6, 1] as [number, number, number] };
  expect(networkFor(zoo, ['tanh', 'tanh'], images)).toEqual(network);
  expect(() => networkFor(zoo, ['tanh', 'relu'], images)).toThrow(
    'zoo z: its networks have the activations tanh, relu, and the behaviour loss computes all with one: set sane.beta to null or 1',
  );
  expect(() => networkFor(zoo, ['tanh'], { ...images, shape: [5, 6, 3] })).toThrow(
    'zoo z: the networks see images of 5 x 6 x 1, and those of glyphs are 5 x 6 x 3 here, which the behaviour loss asks about: set the block data as it was for the zoo, or set sane.beta to null or 1',
  );
});

test('planning counts the tokens that a network has', () => {
  const written = derive({
    ...{ name: 'written', description: '', input: [4, 4, 2], classes: 3 },
    layers: [
      { kind: 'conv2d', name: 'conv', inputs: 2, outputs: 5, kernel: 3, bias: false },
      { kind: 'layer-norm', name: 'norm', channels: 5 },
      { kind: 'flatten' },
      { kind: 'linear', name: 'head', inputs: 20, outputs: 3 },
    ],
  });
  const resnet = getArchitecture('resnet18', { input: [32, 32, 3], classes: 10, width: 4 });
  for (const architecture of [tiny, cnnSmall, cnnLarge, written, resnet]) {
    for (const size of [2, 5, 18, 201, 289]) {
      expect(tokensOf(architecture, size)).toBe(tokenLayout(architecture, size).tokens);
    }
  }
});
