/** Features of models that the probe sees, one row per checkpoint. */
import type { PropertyPredictionSettings } from '../../experiment/types.ts';
import { embedModels, meanEmbedding } from '../../sane/embed.ts';
import { Sane } from '../../sane/model.ts';
import type { SaneShape } from '../../sane/parameters.ts';
import { embeddingSpread } from '../../sane/spread.ts';
import { type TokenLayout, tokenize } from '../../sane/tokenize.ts';
import type { Split } from '../../zoo/members.ts';
import type { Matrix } from './ridge.ts';
import { weightStatistics } from './statistics.ts';

export type FeatureName = PropertyPredictionSettings['features'][number];
export type Features = Record<Split, Matrix>;

/** The networks of each split as flat vectors, each read when it is asked for. */
export type Networks = (split: Split) => Iterable<Float32Array>;

const overSplits = (row: (flat: Float32Array) => Float64Array, networks: Networks): Features => {
  const rows = (split: Split) => Array.from(networks(split), row);
  return { train: rows('train'), val: rows('val'), test: rows('test') };
};

/** W: all numbers of the tokens, padding included. */
export function weightFeatures(layout: TokenLayout, networks: Networks): Features {
  return overSplits((flat) => Float64Array.from(tokenize(layout, flat)), networks);
}

/** s(W): seven statistics per layer. */
export function statisticsFeatures(layout: TokenLayout, networks: Networks, withPadding: boolean): Features {
  return overSplits((flat) => weightStatistics(layout, flat, withPadding), networks);
}

/**
 * Those of the embeddings that are wanted: their mean over tokens, and all of them in a row ("full sequence", Table 10). One pass
 * makes both.
 */
export async function saneFeatures(
  sane: Sane,
  layout: TokenLayout,
  networks: Networks,
  wanted: ReadonlySet<FeatureName>,
): Promise<Map<FeatureName, Features>> {
  const rows: [FeatureName, (embeddings: Float32Array) => Float64Array][] = [
    ['sane', (z) => meanEmbedding(z, sane.shape.latent_dim)],
    ['sane-sequence', (z) => Float64Array.from(z)],
  ];
  const features = new Map<FeatureName, Record<Split, Float64Array[]>>();
  for (const [name] of rows) if (wanted.has(name)) features.set(name, { train: [], val: [], test: [] });
  if (features.size === 0) return features;
  for (const split of ['train', 'val', 'test'] as const) {
    for await (const z of embedModels(sane, layout, networks(split))) {
      for (const [name, row] of rows) features.get(name)?.[split].push(row(z));
    }
  }
  return features;
}

/**
 * The mean of the token embeddings of a SANE of these sizes that was not trained, but only initialised from the seed. All are divided by one
 * number, their spread between training models: initial weights have an arbitrary scale, which decides what a ridge's strengths do.
 */
export async function untrainedFeatures(
  shape: SaneShape,
  seed: number,
  layout: TokenLayout,
  networks: Networks,
): Promise<Features> {
  const sane = new Sane(shape, seed);
  const found = await saneFeatures(sane, layout, networks, new Set(['sane'] as const));
  sane.dispose();
  const { train, val, test } = found.get('sane') as Features;
  const spread = (await embeddingSpread(train.map((row) => Float32Array.from(row)))) || 1;
  const scaled = (rows: Matrix) => rows.map((row) => row.map((z) => z / spread));
  return { train: scaled(train), val: scaled(val), test: scaled(test) };
}
