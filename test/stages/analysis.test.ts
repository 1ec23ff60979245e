/** Stage `analysis` on a zoo that is written, not trained: its numbers against plain float64 code. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { layerSpectra, spectralFeatures } from '../../src/nets/weightwatcher/features.ts';
import { loadSane } from '../../src/sane/checkpoint.ts';
import { decodeModels } from '../../src/sane/decode.ts';
import { embedModels } from '../../src/sane/embed.ts';
import { embeddingFeatures, type LayerFeatures } from '../../src/sane/layer-features.ts';
import { fitStandardization, standardize } from '../../src/sane/standardize.ts';
import { flatten, tokenLayout } from '../../src/sane/tokenize.ts';
import { defaultWindows } from '../../src/stages/analysis/windows.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { stages } from '../../src/stages/registry.ts';
import type { TaskResult } from '../../src/stages/result.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { cnnSmall, randomWeights } from '../nets/networks.ts';
import { runStage, writeZoo } from '../zoo/on-disk.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'analysis-'));
  await startDevice('wasm', { threads: 1 });
});
afterAll(() => rm(dir, { recursive: true }));

/** The later the epoch, the more accurate and the larger. */
const weightsAt = (model: number, epoch: number) =>
  new Map(
    Array.from(randomWeights(cnnSmall, model), ([name, values]) => [
      name,
      values.map((x) => x * (1 + epoch / 10)),
    ]),
  );

interface File {
  networks: { model: string; epoch: number; test_accuracy: number; layers: LayerFeatures[] }[];
  example: { layer: string; eigenvalues: number[]; distances: { largest: number; counts: number[] } };
}

describe('stage analysis', () => {
  test('keeps the features of every layer, and records correlations and losses by window', async () => {
    const splits = ['train', 'train', 'val', 'test', 'test', 'test'] as const;
    const models = splits.map((split, m) => ({
      split,
      checkpoints: [1, 4].map((epoch) => ({ epoch, weights: weightsAt(m, epoch) })),
    }));
    await writeZoo(join(dir, 'zoo'), cnnSmall, null, models);
    const zoo = join(dir, 'zoo');
    const config = {
      ...{ ...defaults.sane, seed: 1, token_size: 60, window: 20, d_model: 16, latent_dim: 6 },
      ...{ layers: 1, heads: 2, epochs: 1, batch_size: 8, checkpoints: null },
    };
    const inputs = {
      zoo,
      sane: await runStage(await stages.sane!.load(), config, { zoo }, join(dir, 'sane')),
    };
    const before = tf.memory().numTensors;
    const settings = { checkpoints: null, models: 2, windows: [12, 500] };
    const at = await runStage(await stages.analysis!.load(), settings, inputs, join(dir, 'result'));
    expect(tf.memory().numTensors).toBe(before);

    const { networks, example } = (await Bun.file(join(at, 'analysis.json')).json()) as File;
    expect(networks.map(({ model, epoch }) => `${model} ${epoch}`)).toEqual([
      ...['model-3 1', 'model-3 4', 'model-4 1', 'model-4 4'],
    ]);
    const last = weightsAt(4, 4);
    const shapes = new Map(cnnSmall.state.map(({ name, shape }) => [name, shape]));
    const { layers } = networks[3]!;
    expect(layers.map(({ layer }) => layer)).toEqual(
      cnnSmall.state.map(({ name }) => name).filter((name) => name.endsWith('weight')),
    );
    for (const [name, spectrum] of layerSpectra(shapes, last))
      expect(layers.find(({ layer }) => layer === name)).toMatchObject({ ...spectralFeatures(spectrum) });

    // The features of embeddings, of the embeddings that SANE gives.
    const { sane } = await loadSane(inputs.sane);
    const layout = tokenLayout(cnnSmall, 60);
    // The split's own statistics, of all its models.
    const tests = [3, 4, 5].flatMap((m) => [1, 4].map((epoch) => flatten(cnnSmall, weightsAt(m, epoch))));
    const statistics = fitStandardization(layout, tests);
    const flat = standardize(layout, flatten(cnnSmall, last), statistics);
    const [z] = await Array.fromAsync(embedModels(sane, layout, [flat]));
    for (const { name, firstToken, tokens } of layout.layers) {
      const ofLayer = z!.subarray(6 * firstToken, 6 * (firstToken + tokens));
      const found = layers.find(({ layer }) => layer === name)!;
      for (const [feature, value] of Object.entries(embeddingFeatures(ofLayer, 6)))
        expect(found[feature as 'embedding_norm']).toBeCloseTo(value, 5);
    }
    const tokens = layout.layers.find(({ name }) => name === example.layer)!.tokens;
    expect(example.distances.counts.reduce((sum, n) => sum + n, 0)).toBe((tokens * (tokens - 1)) / 2);
    expect(example.eigenvalues).toEqual([...new Map(layerSpectra(shapes, last)).get(example.layer)!]);

    const { records } = (await Bun.file(join(at, 'result.json')).json()) as TaskResult;
    const value = (name: string, label: string | number) =>
      records.find(({ labels }) => labels[name] === label)!.value;
    // Larger weights have larger norms; scaling has no part in the rank.
    expect(value('feature', 'log_spectral_norm')).toBeGreaterThan(0.5);
    expect(value('feature', 'alpha')).toBeLessThan(1);
    // A window longer than the network sees it whole, in one pass.
    let [sum, count] = [0, 0];
    for (const m of [3, 4]) {
      for (const epoch of [1, 4]) {
        const own = standardize(layout, flatten(cnnSmall, weightsAt(m, epoch)), statistics);
        const [whole] = await Array.fromAsync(embedModels(sane, layout, [own], layout.tokens));
        const [again] = await Array.fromAsync(
          decodeModels(sane, layout, [whole!], { halo: false, seen: layout.tokens }),
        );
        for (const [i, x] of own.entries()) sum += (x - again![i]!) ** 2;
        count += own.length;
      }
    }
    sane.dispose();
    expect(value('window', 500)).toBeCloseTo(sum / count, 5);
    expect(value('window', 12)).not.toBe(value('window', 500));
  });
});

test('windows are powers of two up to a network, and that of pretraining', () => {
  expect(defaultWindows(48, 48)).toEqual([8, 16, 32, 48]);
  expect(defaultWindows(100, 20)).toEqual([8, 16, 20, 32, 64, 100]);
  expect(defaultWindows(5, 32)).toEqual([5]);
  expect(defaultWindows(50_000, 256)).toEqual([8, 16, 32, 64, 128, 256, 512, 1024]);
});

test('features of embeddings are means over tokens, and the spread a root mean square over dimensions', () => {
  const random = new Random(1, 'embedding-features');
  const [tokens, latent] = [13, 7];
  const z = random.normals(tokens * latent);
  const at = (t: number, d: number) => z[t * latent + d] as number;
  const over = (n: number, f: (i: number) => number) =>
    Array.from({ length: n }, (_, i) => f(i)).reduce((a, b) => a + b, 0) / n;
  const mean = (d: number) => over(tokens, (t) => at(t, d));
  const variance = (d: number) => over(tokens, (t) => (at(t, d) - mean(d)) ** 2);
  const norm = (t: number) => Math.sqrt(latent * over(latent, (d) => at(t, d) ** 2));
  const found = embeddingFeatures(z, latent);
  expect(found.embedding_spread).toBeCloseTo(Math.sqrt(over(latent, variance)), 10);
  expect(found.embedding_norm).toBeCloseTo(over(tokens, norm), 10);
  expect(found.embedding_mean).toBeCloseTo(over(latent, mean), 10);
});
