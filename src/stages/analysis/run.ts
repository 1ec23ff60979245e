/** Stage `analysis` (section 4, appendix C): what features of layers say of networks, and how long a window SANE can see. */
import { join } from 'node:path';
import { correlation } from '../../base/correlation.ts';
import { writeJson } from '../../base/files.ts';
import type { AnalysisSettings } from '../../experiment/types.ts';
import { spectralFeatureNames } from '../../nets/weightwatcher/features.ts';
import { loadSane } from '../../sane/checkpoint.ts';
import { embedModels } from '../../sane/embed.ts';
import { embeddingFeatureNames, type LayerFeatures, layerFeatures } from '../../sane/layer-features.ts';
import { tokenLayout, unflatten } from '../../sane/tokenize.ts';
import { findSamples, readSample, readStandardized, standardizedSets } from '../../sane/zoo-samples.ts';
import { openZoo } from '../../zoo/zoo.ts';
import type { MetricRecord, TaskResult } from '../result.ts';
import type { StageImplementation } from '../stage.ts';
import { type Example, exampleOf } from './example.ts';
import { defaultWindows, windowLoss } from './windows.ts';

/** One checkpoint of a test model. */
interface Analysed {
  model: string;
  epoch: number;
  test_accuracy: number;
  layers: LayerFeatures[];
}

/**
 * Records how the mean over layers of each feature goes with the test accuracy, and the reconstruction loss by window. `analysis.json` keeps the
 * features of every layer of every checkpoint, and of the last one a layer in full.
 */
export const analysisStage: StageImplementation = {
  async execute({ config: json, inputs, dir, report }) {
    const { home = 0, ...config } = json as unknown as AnalysisSettings & { home?: number };
    const zoo = await openZoo(inputs.zoo as string);
    const { architecture } = zoo;
    const { sane, description, standardizations } = await loadSane(inputs.sane as string);
    const { batch_norm_tokens: batchNorm, standardization: mode } = description;
    const { latent_dim: latent, token_size: tokenSize, window: trained } = sane.shape;
    const layout = tokenLayout(architecture, tokenSize, batchNorm);
    const samples = await findSamples(zoo, config.checkpoints, inputs.alignment);
    const ids = new Set(samples.test.map(({ model }) => model.id));
    const chosen = new Set([...ids].slice(0, config.models ?? ids.size));
    const fitted = standardizations[home] ?? undefined;
    const sets = standardizedSets(mode, architecture, layout, samples, ['test'], { fitted });
    // What all of them are standardised by, however many are analysed.
    const test = { ...sets.test, samples: samples.test.filter(({ model }) => chosen.has(model.id)) };
    const flats = () => readStandardized(architecture, layout, test);
    const shapes = new Map(architecture.state.map(({ name, shape }) => [name, shape]));

    const networks: Analysed[] = [];
    let example: Example | null = null;
    const embedded = embedModels(sane, layout, flats());
    for (const sample of test.samples) {
      const { value: z } = await embedded.next();
      const weights = unflatten(architecture, readSample(architecture, sample));
      const layers = layerFeatures(shapes, weights, { layout, z, latent });
      const { epoch, test_accuracy } = sample.checkpoint;
      networks.push({ model: sample.model.id, epoch, test_accuracy, layers });
      if (sample === test.samples.at(-1)) example = exampleOf(shapes, weights, { layout, z, latent });
      report({ done: networks.length, total: test.samples.length, unit: 'checkpoints' });
    }

    const records = correlations(networks);
    for (const window of config.windows ?? defaultWindows(layout.tokens, trained)) {
      const value = await windowLoss(sane, layout, flats, window);
      records.push({
        ...{ metric: 'reconstruction-loss', labels: { split: 'test', window }, value, seeded: true },
      });
    }
    sane.dispose();
    await writeJson(join(dir, 'analysis.json'), { networks, example });
    await writeJson(join(dir, 'result.json'), { records } satisfies TaskResult);
  },
};

/** Pearson's, of each feature's mean over layers with the test accuracy; of those that vary only. */
function correlations(networks: readonly Analysed[]): MetricRecord[] {
  const accuracies = networks.map(({ test_accuracy }) => test_accuracy);
  return [...spectralFeatureNames, ...embeddingFeatureNames].flatMap((feature) => {
    const means = networks.map(({ layers }) => {
      const values = layers.flatMap((layer) => layer[feature] ?? []);
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    });
    const value = correlation(means, accuracies);
    const seeded = feature.startsWith('embedding');
    return Number.isFinite(value) ? [{ metric: 'correlation', labels: { feature }, value, seeded }] : [];
  });
}
