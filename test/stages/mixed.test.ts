/** SANE across zoos of several architectures: its stages, and networks from files that it is then used on. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJson } from '../../src/base/files.ts';
import type { JsonObject } from '../../src/base/json.ts';
import { Random } from '../../src/base/random.ts';
import { Evaluation } from '../../src/commands/sample/evaluation.ts';
import type { Architecture } from '../../src/nets/architecture.ts';
import { permute, randomOrders } from '../../src/nets/permute.ts';
import { buildWritten, type WrittenArchitecture } from '../../src/nets/written.ts';
import { loadSane, type SaneDescription } from '../../src/sane/checkpoint.ts';
import { reconstructNetwork, sampleNetworks } from '../../src/sane/decode-networks.ts';
import { embedModels, meanEmbedding } from '../../src/sane/embed.ts';
import { embedNetworks } from '../../src/sane/embed-networks.ts';
import { loadPretrained, prepareNetwork } from '../../src/sane/pretrained.ts';
import { type Standardization, standardize } from '../../src/sane/standardize.ts';
import { tokenLayout } from '../../src/sane/tokenize.ts';
import { findSamples, readSample } from '../../src/sane/zoo-samples.ts';
import { alignmentStage } from '../../src/stages/alignment/run.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { propertyPredictionStage } from '../../src/stages/property-prediction/run.ts';
import { reconstructionStage } from '../../src/stages/reconstruction/run.ts';
import type { TaskResult } from '../../src/stages/result.ts';
import { saneStage } from '../../src/stages/sane/run.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { type StateTensor, writeTorch } from '../../src/zoo/formats/write-torch.ts';
import { openZoo, type ZooManifest } from '../../src/zoo/zoo.ts';
import { oracleForward, randomWeights } from '../nets/networks.ts';
import { runStage, type WrittenModel, writeZoo } from '../zoo/on-disk.ts';

setDefaultTimeout(120_000);

/** Two networks for the images of glyphs, of other depth, width and kinds of layers. */
const layersOf: Record<string, WrittenArchitecture> = {
  grouped: {
    input: [28, 28, 1],
    layers: [
      { kind: 'conv2d', name: 'one', outputs: 6, kernel: 5, stride: 3 },
      { kind: 'batch-norm', name: 'norm' },
      { kind: 'activation', function: 'relu' },
      { kind: 'conv2d', name: 'two', outputs: 6, kernel: 3, groups: 6, bias: false },
      { kind: 'max-pool' },
      { kind: 'flatten' },
      { kind: 'linear', name: 'head', outputs: 'classes' },
    ],
  },
  plain: {
    input: [28, 28, 1],
    layers: [
      { kind: 'max-pool', kernel: 4 },
      { kind: 'flatten' },
      { kind: 'linear', name: 'one', outputs: 9 },
      { kind: 'activation' },
      { kind: 'linear', name: 'head', outputs: 'classes' },
    ],
  },
};
const built = Object.fromEntries(
  Object.entries(layersOf).map(([name, written]) => [
    name,
    buildWritten(name, written, { input: [28, 28, 1], classes: 10, width: null }),
  ]),
) as Record<'grouped' | 'plain', Architecture>;

const dir = mkdtempSync(join(tmpdir(), 'mixed-'));
const at = (name: string) => join(dir, name);
const run = (stage: typeof saneStage, config: object, inputs: Record<string, string>, name: string) =>
  runStage(stage, config as JsonObject, inputs, at(name));

async function makeZoo(name: 'grouped' | 'plain', seed: number): Promise<void> {
  const models = Array.from({ length: 9 }, (_, m): WrittenModel => {
    const base = randomWeights(built[name], seed + m);
    const grown = (factor: number) =>
      new Map(Array.from(base, ([key, values]) => [key, values.map((x) => x * factor)]));
    return {
      split: m < 5 ? 'train' : m < 7 ? 'val' : 'test',
      checkpoints: [1, 4].map((epoch) => ({ epoch, weights: grown(1 + epoch / 10) })),
    };
  });
  await writeZoo(at(name), built[name], null, models);
  const path = join(at(name), 'manifest.json');
  const manifest = (await readJson(path)) as ZooManifest;
  const options = { ...manifest.options, written: layersOf[name] };
  writeFileSync(path, JSON.stringify({ ...manifest, options }));
}

const saneConfig = {
  ...{ ...defaults.sane, seed: 1, token_size: 20, window: 12, d_model: 16, latent_dim: 6 },
  ...{ layers: 1, heads: 2, epochs: 2, batch_size: 4, learning_rate: 0.003 },
};
const inputs: Record<string, string> = {};

beforeAll(async () => {
  await startDevice('native', { threads: 1 });
  for (const [i, name] of (['grouped', 'plain'] as const).entries()) {
    await makeZoo(name, 100 * i);
    const suffix = i === 0 ? '' : '-2';
    inputs[`zoo${suffix}`] = at(name);
    inputs[`alignment${suffix}`] = await run(
      alignmentStage,
      { seed: 0 },
      { zoo: at(name) },
      `${name}-aligned`,
    );
  }
  inputs.sane = await run(saneStage, saneConfig, inputs, 'sane');
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A network of a zoo in a file of its own, its hidden units in another order for a seed. */
async function networkOf(name: 'grouped' | 'plain', model: number, seed?: number) {
  const zoo = await openZoo(at(name));
  const found = await zoo.weights(zoo.manifest.models[model]!, 4);
  const weights =
    seed === undefined
      ? found
      : permute(built[name], found, randomOrders(built[name], new Random(seed, 'file')));
  const path = at(`${name}-${model}-${seed ?? 'own'}.pt`);
  await writeTorch(
    path,
    built[name].state.map(
      ({ name: key, shape }): StateTensor => ({ name: key, shape, data: weights.get(key)! }),
    ),
  );
  return { path, weights };
}

/** Embeddings as the stages have them: the models aligned, and standardised by their own zoo. */
async function embeddingsOf(name: 'grouped' | 'plain', index: number) {
  const { sane, standardizations } = await loadSane(inputs.sane!);
  const layout = tokenLayout(built[name], saneConfig.token_size);
  const { train } = await findSamples(await openZoo(at(name)), [4], `${at(name)}-aligned`);
  const flats = train.map((sample) =>
    standardize(layout, readSample(built[name], sample), standardizations[index] as Standardization),
  );
  const means = await Array.fromAsync(embedModels(sane, layout, flats), (z) => meanEmbedding(z, 6));
  sane.dispose();
  return means;
}

test('the artefact keeps each zoo: its layers, statistics, reference and spread', async () => {
  const { shape, zoos, epochs } = (await readJson(join(inputs.sane!, 'sane.json'))) as SaneDescription;
  const layouts = Object.values(built).map((one) => tokenLayout(one, saneConfig.token_size));
  expect(shape.window).toBe(Math.min(12, ...layouts.map(({ tokens }) => tokens)));
  expect(shape.positions[0]).toBe(Math.max(...layouts.map(({ tokens }) => tokens)));
  expect(epochs).toEqual([1, 4]);
  for (const [i, name] of (['grouped', 'plain'] as const).entries()) {
    expect(zoos[i]).toMatchObject({
      ...{ architecture: name, activation: 'tanh', reference: `reference-${i + 1}.safetensors` },
      options: { input: [28, 28, 1], classes: 10, written: layersOf[name] },
    });
    expect(zoos[i]!.embedding_spread).toBeGreaterThan(0);
  }
  const statistics = (await readJson(join(inputs.sane!, 'normalization.json'))) as Standardization[];
  expect(statistics.map((one) => Object.keys(one))).toEqual([
    ['one.weight', 'two.weight', 'head.weight'],
    ['one.weight', 'head.weight'],
  ]);
  expect(statistics[0]!['one.weight']).not.toEqual(statistics[1]!['one.weight']);
});

test('networks from files are embedded as those of their own zoo, whatever the order of their units', async () => {
  const before = tf.memory().numTensors;
  for (const [i, name] of (['grouped', 'plain'] as const).entries()) {
    const expected = await embeddingsOf(name, i);
    const files = [await networkOf(name, 1), await networkOf(name, 1, 7)];
    const embed = async (align: boolean) => {
      const pretrained = await loadPretrained(inputs.sane!, {
        ...{ heads: null, batchNorm: false, normalization: null, align },
      });
      const paths = files.map(({ path }) => path);
      const found = await Array.fromAsync(
        embedNetworks(pretrained, paths, null),
        ({ embedding }) => embedding,
      );
      pretrained.dispose();
      return found;
    };
    for (const one of await embed(true))
      for (const [k, z] of one.entries()) expect(Math.abs(z - expected[1]![k]!)).toBeLessThan(1e-5);
    const [own, other] = await embed(false);
    expect(Math.max(...own!.map((z, k) => Math.abs(z - other![k]!)))).toBeGreaterThan(1e-3);
  }
  expect(tf.memory().numTensors).toBe(before);
});

test('a network that is aligned computes the same', async () => {
  const pretrained = await loadPretrained(inputs.sane!, {
    heads: null,
    batchNorm: false,
    normalization: null,
  });
  const image = new Random(1, 'image').normals(784);
  for (const name of ['grouped', 'plain'] as const) {
    const { path, weights } = await networkOf(name, 2, 5);
    const { network } = await prepareNetwork(pretrained, path);
    expect(network.weights).not.toEqual(weights);
    const expected = oracleForward(built[name], weights, image, Math.tanh);
    for (const [i, y] of oracleForward(built[name], network.weights, image, Math.tanh).entries())
      expect(y).toBeCloseTo(expected[i]!, 4);
    const names = (await reconstructNetwork(pretrained, path, null)).map(({ name: key }) => key);
    expect(names).toEqual(built[name].state.map(({ name: key }) => key));
  }
  pretrained.dispose();
});

test('a network of neither zoo is an error that names them', async () => {
  const pretrained = await loadPretrained(inputs.sane!, {
    heads: null,
    batchNorm: false,
    normalization: null,
  });
  const path = at('other.pt');
  await writeTorch(path, [{ name: 'one.weight', shape: [2, 3], data: new Float32Array(6) }]);
  await expect(prepareNetwork(pretrained, path)).rejects.toThrow(
    `${path}: this network is of none of the zoos that the SANE was pretrained on (grouped, plain), so that nothing says how to standardise it`,
  );
  pretrained.dispose();
});

test('a SANE of one zoo says which network it cannot align', async () => {
  const one = await run(saneStage, saneConfig, { zoo: inputs.zoo!, alignment: inputs.alignment! }, 'single');
  const notes: string[] = [];
  const pretrained = await loadPretrained(one, {
    ...{ heads: null, batchNorm: false, normalization: null, note: (text: string) => notes.push(text) },
  });
  const path = at('smaller.pt');
  const tensors = built.grouped.state.filter(({ name }) => !name.startsWith('two'));
  const random = new Random(3, 'smaller');
  await writeTorch(
    path,
    tensors.map(({ name, shape }) => ({
      name,
      shape,
      data: random.normals(shape.reduce((a, b) => a * b, 1)),
    })),
  );
  await prepareNetwork(pretrained, path);
  expect(notes).toEqual([
    `${path}: not aligned, as it is another network than the grouped that this SANE was pretrained on`,
  ]);
  pretrained.dispose();
});

test('samples of written architectures are evaluated, with the activation of their zoo', async () => {
  const pretrained = await loadPretrained(inputs.sane!, {
    heads: null,
    batchNorm: false,
    normalization: null,
  });
  const { path, weights } = await networkOf('plain', 1);
  const prompt = await prepareNetwork(pretrained, path);
  const options = { dataset: 'glyphs', activation: undefined, dataDir: undefined, seed: 0 };
  const evaluation = await Evaluation.open(prompt, options);
  expect(evaluation.description).toBe('plain with tanh on 10000 training images of glyphs');
  const sampling = {
    bandwidth: 0.1,
    draws: 'shared',
    count: 3,
    unit: 'spread',
    seed: 0,
    window: null,
  } as const;
  const best = await evaluation.best(sampleNetworks(pretrained, [path], sampling), 2);
  expect(best.map(({ accuracy }) => accuracy.train)).toEqual(
    best.map(({ accuracy }) => accuracy.train).sort((a, b) => b - a),
  );
  for (const { accuracy } of best) expect(accuracy.test).toBeWithin(0, 1);
  const [aligned] = await evaluation.testAccuracies([prompt.network.weights]);
  expect(await evaluation.testAccuracies([weights])).toEqual([aligned!]);
  evaluation.dispose();
  pretrained.dispose();
});

test('properties are predicted of the zoo that the run is about, and by one probe of all', async () => {
  const { targets, gap, ridge_strengths } = defaults.property_prediction;
  const config = {
    ...{ targets, gap, ridge_strengths, checkpoints: [1, 4] },
    features: ['sane-sequence', 'sane'],
  };
  const recordsOf = async (home: object, name: string) => {
    const out = await run(propertyPredictionStage, { ...config, ...home }, inputs, name);
    return ((await readJson(join(out, 'result.json'))) as TaskResult).records;
  };
  const before = tf.memory().numTensors;
  const [first, second] = [await recordsOf({}, 'first'), await recordsOf({ home: 1 }, 'second')];
  expect(tf.memory().numTensors).toBe(before);
  const only = (records: typeof first, metric: string) => records.filter((one) => one.metric === metric);
  // Two features, three targets, three splits.
  expect([only(first, 'r2').length, only(second, 'r2').length]).toEqual([18, 18]);
  expect(only(first, 'r2')).not.toEqual(only(second, 'r2'));
  const joint = only(first, 'joint-r2');
  expect(joint.length).toBe(3 * (3 + 2));
  for (const [i, { labels, value }] of only(second, 'joint-r2').entries()) {
    expect(labels).toEqual(joint[i]!.labels);
    expect(value).toBeCloseTo(joint[i]!.value, 5);
  }
  // Both zoos have the same targets, so that what all are predicted with is the mean of both.
  const of = (zoo: string) =>
    joint.find(({ labels }) => labels.zoo === zoo && labels.split === 'test' && labels.target === 'epoch')!
      .value;
  expect(of('all')).toBeCloseTo((of('1') + of('2')) / 2, 10);
});

test('reconstruction is measured on the zoo that the run is about', async () => {
  const second = { zoo: inputs['zoo-2']!, alignment: inputs['alignment-2']!, sane: inputs.sane! };
  const out = await run(reconstructionStage, { ...saneConfig, home: 1 }, second, 'reconstruction');
  const { records } = (await readJson(join(out, 'result.json'))) as TaskResult;
  expect(records.every(({ value }) => value > 0 && value < 10)).toBe(true);
});
