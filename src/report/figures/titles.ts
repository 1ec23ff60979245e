/** How features of layers are called. */

/** WeightWatcher's, and those of SANE's embeddings. */
export const layerFeatureTitles = {
  log_spectral_norm: 'log10 spectral norm',
  alpha: 'alpha',
  weighted_alpha: 'weighted alpha',
  stable_rank: 'stable rank',
  embedding_spread: 'spread of embeddings',
  embedding_norm: 'norm of embeddings',
  embedding_mean: 'mean of embeddings',
} as const;

export type FeatureName = keyof typeof layerFeatureTitles;
export const featureNames = Object.keys(layerFeatureTitles) as FeatureName[];
