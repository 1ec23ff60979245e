/** Features of models that SANE makes, one row per checkpoint. */
import type { PropertyPredictionSettings } from '../../experiment/types.ts';
import { embedModels, meanEmbedding, tokensAtOnce } from '../../sane/embed.ts';
import { Sane } from '../../sane/model.ts';
import type { SaneShape } from '../../sane/parameters.ts';
import { embeddingSpread } from '../../sane/spread.ts';
import type { TokenLayout } from '../../sane/tokenize.ts';
import type { Split } from '../../zoo/members.ts';
import type { Floats } from './gram.ts';

export type FeatureName = PropertyPredictionSettings['features'][number];
export type Features = Record<Split, readonly Floats[]>;

/** The networks of each split as flat vectors, each read when it is asked for. */
export type Networks = (split: Split) => Iterable<Float32Array>;

/**
 * Those of the embeddings that are wanted: their mean over tokens, and all of them in a row ("full sequence", Table 10). One pass
 * makes both.
 */
export async function saneFeatures(
  sane: Sane,
  layout: TokenLayout,
  networks: Networks,
  wanted: ReadonlySet<FeatureName>,
  embedding: PropertyPredictionSettings['embedding'],
): Promise<Map<FeatureName, Features>> {
  const rows: [FeatureName, (embeddings: Float32Array) => Floats][] = [
    ['sane', (z) => meanEmbedding(z, sane.shape.latent_dim)],
    ['sane-sequence', (z) => z],
  ];
  const features = new Map<FeatureName, Record<Split, Floats[]>>();
  for (const [name] of rows) if (wanted.has(name)) features.set(name, { train: [], val: [], test: [] });
  if (features.size === 0) return features;
  const seen = tokensAtOnce(embedding, sane.shape, layout);
  for (const split of ['train', 'val', 'test'] as const) {
    for await (const z of embedModels(sane, layout, networks(split), seen)) {
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
  embedding: PropertyPredictionSettings['embedding'],
): Promise<Features> {
  const sane = new Sane(shape, seed);
  const found = await saneFeatures(sane, layout, networks, new Set(['sane'] as const), embedding);
  sane.dispose();
  const { train, val, test } = found.get('sane') as Features;
  const spread = (await embeddingSpread(train.map((row) => Float32Array.from(row)))) || 1;
  const scaled = (rows: readonly Floats[]) => rows.map((row) => row.map((z) => z / spread));
  return { train: scaled(train), val: scaled(val), test: scaled(test) };
}
