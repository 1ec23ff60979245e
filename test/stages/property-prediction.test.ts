import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../src/base/json.ts';
import { flatten, tokenLayout } from '../../src/sane/tokenize.ts';
import { percentile, weightStatistics } from '../../src/stages/baseline-probes/statistics.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { r2 } from '../../src/stages/property-prediction/ridge.ts';
import { stages } from '../../src/stages/registry.ts';
import type { Predictions, TaskResult } from '../../src/stages/result.ts';
import type { StageImplementation } from '../../src/stages/stage.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { tf } from '../../src/tensor/tf.ts';
import { cnnSmall, randomWeights } from '../nets/networks.ts';
import { runStage, type WrittenModel, writeZoo } from '../zoo/on-disk.ts';

let dir = '';

/** 14 models whose accuracy can be read off the weights: at epoch e they are multiplied by 1 + e/10. */
function models(epochs = [1, 4, 9]): WrittenModel[] {
  return Array.from({ length: 14 }, (_, m) => {
    const base = randomWeights(cnnSmall, m);
    const scaled = (factor: number) =>
      new Map(Array.from(base, ([name, values]) => [name, values.map((x) => x * factor)]));
    return {
      split: m < 8 ? 'train' : m < 11 ? 'val' : 'test',
      checkpoints: epochs.map((epoch) => ({ epoch, weights: scaled(1 + epoch / 10) })),
    };
  });
}

const run = (
  implementation: StageImplementation,
  config: Record<string, Json>,
  inputs: Record<string, string>,
  name: string,
) => runStage(implementation, config, inputs, join(dir, name));

const saneConfig = {
  ...defaults.sane,
  seed: 1,
  token_size: 60,
  window: 20,
  d_model: 16,
  latent_dim: 6,
  layers: 1,
  heads: 2,
  epochs: 4,
  batch_size: 8,
  learning_rate: 0.003,
};
const { targets, gap, ridge_strengths } = defaults.property_prediction;
const probes = { targets, gap, ridge_strengths, checkpoints: [1, 4, 9] };
const predictionConfig = {
  ...probes,
  embedding: 'windows',
  features: ['weights', 'statistics', 'sane', 'sane-sequence', 'untrained'],
  seed: 1,
};
const reading = { batch_norm_tokens: false, standardization: 'per-layer' };
const baselineConfig = { ...probes, ...reading, feature: 'statistics', padding: false };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'prediction-'));
  await startDevice('wasm', { threads: 1 });
  await writeZoo(join(dir, 'zoo'), cnnSmall, null, models());
});
afterAll(() => rm(dir, { recursive: true }));

describe('statistics of weights', () => {
  test('percentiles are numpy’s', () => {
    const sorted = Float64Array.of(1, 2, 4, 8);
    expect([0, 1, 25, 50, 75, 99, 100].map((p) => percentile(sorted, p))).toEqual(
      [1, 1.03, 1.75, 3, 5, 7.88, 8].map((x) => expect.closeTo(x, 10)),
    );
    expect(percentile(Float64Array.of(5), 30)).toBe(5);
  });

  test('are seven per layer, with or without the padding', () => {
    const layout = tokenLayout(cnnSmall, 289);
    const flat = flatten(cnnSmall, randomWeights(cnnSmall, 4));
    const plain = weightStatistics(layout, flat, false);
    const padded = weightStatistics(layout, flat, true);
    expect(plain.length).toBe(35);
    // Last layer: 10 rows of 20 weights and a bias in tokens of 289.
    const values = [...flat.subarray(-210)];
    const mean = values.reduce((a, b) => a + b, 0) / 210;
    expect(plain[28]!).toBeCloseTo(mean, 6);
    expect(plain[29]!).toBeCloseTo(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 210, 6);
    expect(plain[32]!).toBeCloseTo(percentile(Float64Array.from(values).sort(), 50), 6);
    expect(padded[28]!).toBeCloseTo((mean * 210) / 2890, 6);
    expect(padded[32]!).toBe(0);
  });
});

describe('stages sane, baseline-probes and property-prediction', () => {
  test('predict what can be read off the weights, and give every number a label', async () => {
    const zoo = join(dir, 'zoo');
    const sane = await run(await stages.sane!.load(), saneConfig, { zoo }, 'sane');
    const baselines = await stages['baseline-probes']!.load();
    const weights = await run(baselines, { ...probes, ...reading, feature: 'weights' }, { zoo }, 'weights');
    const statistics = await run(baselines, baselineConfig, { zoo }, 'statistics');
    const before = tf.memory().numTensors;
    const inputs = { zoo, sane, weights, statistics };
    const at = await run(await stages['property-prediction']!.load(), predictionConfig, inputs, 'result');
    expect(tf.memory().numTensors).toBe(before);
    const { records } = (await Bun.file(join(at, 'result.json')).json()) as TaskResult;
    expect(records.length).toBe(2 * 5 * 3 * 3);
    const value = (feature: string, target: string) =>
      records.find(
        ({ labels }) => labels.feature === feature && labels.target === target && labels.split === 'test',
      )!;
    // The variance of each layer grows with the epoch.
    expect(value('statistics', 'epoch').value).toBeGreaterThan(0.7);
    expect(value('statistics', 'test-accuracy').value).toBeGreaterThan(0.7);
    expect(value('statistics', 'ggap').value).toBeGreaterThan(0.7);
    const tau = records.find(({ metric, labels }) => metric === 'tau' && labels.feature === 'statistics')!;
    expect(tau.value).toBeGreaterThan(0.5);
    expect(records.every(({ value: v }) => Number.isFinite(v))).toBe(true);
    expect(value('weights', 'epoch').seeded).toBe(false);
    expect(value('sane', 'epoch').seeded).toBe(true);
    // An encoder that was not trained has embeddings of its own.
    expect(value('untrained', 'epoch').seeded).toBe(true);
    expect(value('untrained', 'epoch').value).not.toBe(value('sane', 'epoch').value);
    const kept = (await Bun.file(join(at, 'predictions.json')).json()) as Predictions;
    const { tested, predictions } = kept;
    expect([...new Set(predictions.map(({ feature }) => feature))]).toEqual(predictionConfig.features);
    expect(tested.length).toBe(9);
    expect(predictions.length).toBe(15);
    for (const { feature, target, values, actual } of predictions) {
      // The number that tables resample is the one that was recorded.
      const score = r2(Float64Array.from(actual as number[]), Float64Array.from(values));
      expect(score).toBeCloseTo(value(feature, target).value, 12);
    }
  });

  test('without SANE, put together what the baselines give', async () => {
    const statistics = join(dir, 'statistics');
    const config = { features: ['statistics'] };
    const at = await run(await stages['property-prediction']!.load(), config, { statistics }, 'only');
    const kept = await Bun.file(join(statistics, 'probes.json')).json();
    expect(await Bun.file(join(at, 'result.json')).json()).toEqual({ records: kept.records });
    const { tested, predictions } = kept;
    expect(await Bun.file(join(at, 'predictions.json')).json()).toEqual({ tested, predictions });
  });

  test('embed in one sequence where that is asked for', async () => {
    const [zoo, sane] = [join(dir, 'zoo'), join(dir, 'sane')];
    const by = async (embedding: 'windows' | 'sequence') => {
      const config = { ...predictionConfig, features: ['sane'], embedding };
      const at = await run(await stages['property-prediction']!.load(), config, { zoo, sane }, embedding);
      return Bun.file(join(at, 'predictions.json')).json();
    };
    // The network has more tokens than a window.
    expect(await by('sequence')).not.toEqual(await by('windows'));
  });

  test('a SANE stage leaves only its artefact, and resumes from its state', async () => {
    const zoo = join(dir, 'zoo');
    const at = await run(await stages.sane!.load(), saneConfig, { zoo }, 'again');
    const names = [...new Bun.Glob('*').scanSync(at)].sort();
    expect(names).toEqual(['history.json', 'model.safetensors', 'normalization.json', 'sane.json']);
    const bytes = async (folder: string) => Bun.file(join(folder, 'model.safetensors')).bytes();
    expect(await bytes(at)).toEqual(await bytes(join(dir, 'sane')));
  });

  test('say when a target is the same everywhere', async () => {
    const implementation = await stages['baseline-probes']!.load();
    const config = { ...baselineConfig, checkpoints: [4] };
    await expect(run(implementation, config, { zoo: join(dir, 'zoo') }, 'constant')).rejects.toThrow(
      /^test-accuracy is 0\.3\d* in every train checkpoint, so R² is undefined: use more models or epochs, or take test-accuracy out of property_prediction\.targets$/,
    );
  });

  test('take the gap from the training accuracy that is asked for, and never from the other', async () => {
    const implementation = await stages['baseline-probes']!.load();
    const config = { ...baselineConfig, targets: ['ggap'] };
    const mean = async (gap: string) => {
      const at = await run(implementation, { ...config, gap }, { zoo: join(dir, 'zoo') }, `gap ${gap}`);
      const { predictions } = await Bun.file(join(at, 'probes.json')).json();
      const [{ values }] = predictions as [{ values: number[] }];
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    // At epoch e they are -e/40 and e/20, of epochs 1, 4 and 9.
    expect(await mean('running')).toBeCloseTo(-14 / 3 / 40, 1);
    expect(await mean('evaluated')).toBeCloseTo(14 / 3 / 20, 1);

    const changed = async (name: string, change: (checkpoint: Record<string, unknown>) => void) => {
      await cp(join(dir, 'zoo'), join(dir, name), { recursive: true });
      const path = join(dir, name, 'manifest.json');
      const manifest = await Bun.file(path).json();
      for (const { checkpoints } of manifest.models) checkpoints.forEach(change);
      await Bun.write(path, JSON.stringify(manifest));
      return join(dir, name);
    };
    // As zoos were written that knew one training accuracy only.
    const old = await changed('old', (checkpoint) => {
      delete checkpoint.running_train_accuracy;
    });
    await expect(run(implementation, config, { zoo: old }, 'old gap')).rejects.toThrow(
      'model-0 has no running_train_accuracy at epoch 1, which ggap needs: set property_prediction.gap to evaluated, take ggap out of property_prediction.targets, or train or import the zoo again with that number',
    );
    const logged = await changed('logged', (checkpoint) => {
      checkpoint.train_accuracy = null;
    });
    await expect(
      run(implementation, { ...config, gap: 'evaluated' }, { zoo: logged }, 'logged gap'),
    ).rejects.toThrow(
      'model-0 has no train_accuracy at epoch 1, which ggap needs: set property_prediction.gap to running, take',
    );
    // Nothing is trained at epoch 0, of which the evaluated one is taken.
    const untrained = join(dir, 'untrained');
    await writeZoo(untrained, cnnSmall, null, models([0, 9]));
    const both = { ...config, checkpoints: [0, 9] };
    const at = await run(implementation, both, { zoo: untrained }, 'untrained gap');
    const { predictions } = await Bun.file(join(at, 'probes.json')).json();
    // 0 at epoch 0, and -9/40 at epoch 9.
    const [first, second] = predictions[0].values as [number, number];
    expect(first - second).toBeGreaterThan(0.1);
  });

  test('say when no checkpoint is of the epochs asked for', async () => {
    const implementation = await stages['baseline-probes']!.load();
    await expect(
      run(implementation, { ...baselineConfig, checkpoints: [2] }, { zoo: join(dir, 'zoo') }, 'none'),
    ).rejects.toThrow(
      /no train model has a checkpoint of the epochs 2; the zoo has the epochs 1, 4, 9: set checkpoints, or prompt_epoch, to some of these/,
    );
  });
});
