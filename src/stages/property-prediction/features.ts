/** Features of models that SANE makes, one row per checkpoint. */
import type { PropertyPredictionSettings } from '../../experiment/types.ts';
import { embedModels, meanEmbedding, tokensAtOnce } from '../../sane/embed.ts';
import type { Sane } from '../../sane/model.ts';
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
  const seen = tokensAtOnce(embedding, sane.shape, layout);
  for (const split of ['train', 'val', 'test'] as const) {
    for await (const z of embedModels(sane, layout, networks(split), seen)) {
      for (const [name, row] of rows) features.get(name)?.[split].push(row(z));
    }
  }
  return features;
}
