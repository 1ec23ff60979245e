/** Features of a network's layers: of their spectra (WeightWatcher) and of SANE's embeddings of their tokens (section 4). */
import type { StateDict } from '../nets/architecture.ts';
import { layerSpectra, type SpectralFeatures, spectralFeatures } from '../nets/weightwatcher/features.ts';
import type { TokenLayout } from './tokenize.ts';

export interface EmbeddingFeatures {
  /** Standard deviation of the layer's token embeddings: of each dimension over tokens, their root mean square (equations 8 and 9). */
  embedding_spread: number;
  /** Length of a token's embedding, mean over tokens. */
  embedding_norm: number;
  /** Mean over all tokens and dimensions. */
  embedding_mean: number;
}

export const embeddingFeatureNames = ['embedding_spread', 'embedding_norm', 'embedding_mean'] as const;

/** One layer, by the name of its weight. What a layer is too small for, or what nothing embedded, it does not have. */
export type LayerFeatures = { layer: string } & Partial<SpectralFeatures & EmbeddingFeatures>;

/** Of a run of token embeddings [tokens, latent] in float64. */
export function embeddingFeatures(z: Float32Array, latent: number): EmbeddingFeatures {
  const tokens = z.length / latent;
  const means = new Float64Array(latent);
  let norms = 0;
  for (let t = 0; t < tokens; t++) {
    const token = z.subarray(t * latent, (t + 1) * latent);
    let square = 0;
    for (const [d, value] of token.entries()) {
      means[d] = (means[d] as number) + value / tokens;
      square += value * value;
    }
    norms += Math.sqrt(square);
  }
  const squares = z.reduce((sum, value, i) => sum + (value - (means[i % latent] as number)) ** 2, 0);
  return {
    embedding_spread: Math.sqrt(squares / z.length),
    embedding_norm: norms / tokens,
    embedding_mean: means.reduce((sum, mean) => sum + mean, 0) / latent,
  };
}

/** Token embeddings [tokens, latent] of a network in a layout. */
export interface Embedded {
  layout: TokenLayout;
  z: Float32Array;
  latent: number;
}

/** The features of every layer of a network, in its order: those of spectra and, where it is embedded, of its tokens. */
export function layerFeatures(
  shapes: ReadonlyMap<string, readonly number[]>,
  weights: StateDict,
  embedded: Embedded | null,
): LayerFeatures[] {
  const features = new Map<string, LayerFeatures>();
  for (const [layer, spectrum] of layerSpectra(shapes, weights)) {
    features.set(layer, { layer, ...spectralFeatures(spectrum) });
  }
  if (embedded) {
    const { layout, z, latent } = embedded;
    for (const { name, firstToken, tokens } of layout.layers) {
      const ofLayer = z.subarray(firstToken * latent, (firstToken + tokens) * latent);
      features.set(name, { layer: name, ...features.get(name), ...embeddingFeatures(ofLayer, latent) });
    }
  }
  return [...shapes.keys()].flatMap((name) => features.get(name) ?? []);
}
