/** Features of models that the probe sees, one row per checkpoint. */
import type { PropertyPredictionSettings } from '../../experiment/types.ts';
import { embedModels, meanEmbedding } from '../../sane/embed.ts';
import type { Sane } from '../../sane/model.ts';
import type { Samples } from '../../sane/samples.ts';
import { type TokenLayout, tokenize } from '../../sane/tokenize.ts';
import type { Split } from '../../zoo/members.ts';
import type { Matrix } from './ridge.ts';
import { weightStatistics } from './statistics.ts';

export type FeatureName = PropertyPredictionSettings['features'][number];
export type Features = Record<Split, Matrix>;

function overSplits(rows: (split: Split) => Float64Array[]): Features {
  return { train: rows('train'), val: rows('val'), test: rows('test') };
}

/** W: all numbers of the tokens, padding included. */
export function weightFeatures(layout: TokenLayout, samples: Samples): Features {
  return overSplits((split) => samples[split].map(({ flat }) => Float64Array.from(tokenize(layout, flat))));
}

/** s(W): seven statistics per layer. */
export function statisticsFeatures(layout: TokenLayout, samples: Samples, withPadding: boolean): Features {
  return overSplits((split) => samples[split].map(({ flat }) => weightStatistics(layout, flat, withPadding)));
}

/** Embeddings: their mean over tokens, and all of them in a row ("full sequence", Table 10). One pass makes both. */
export async function saneFeatures(
  sane: Sane,
  layout: TokenLayout,
  samples: Samples,
): Promise<Record<'sane' | 'sane-sequence', Features>> {
  const embed = (split: Split) => {
    const models = samples[split].map(({ flat }) => flat);
    return Array.fromAsync(embedModels(sane, layout, models));
  };
  const embeddings = { train: await embed('train'), val: await embed('val'), test: await embed('test') };
  return {
    sane: overSplits((split) => embeddings[split].map((z) => meanEmbedding(z, sane.shape.latent_dim))),
    'sane-sequence': overSplits((split) => embeddings[split].map((z) => Float64Array.from(z))),
  };
}
