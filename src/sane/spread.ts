/** How far apart the embeddings of models lie: the unit of the kernels that new embeddings are drawn from. */

/**
 * The standard deviation between models within a token, of their token embeddings, each [tokens, latent]: the root of the variance
 * (with n - 1) over models, averaged over tokens and dimensions. Null for fewer than two models, which have none.
 */
export async function embeddingSpread(
  embeddings: Iterable<Float32Array> | AsyncIterable<Float32Array>,
): Promise<number | null> {
  // Welford's updates, as the embeddings of a large zoo do not fit into memory together.
  let means = new Float64Array(0);
  let [models, squares] = [0, 0];
  for await (const embedding of embeddings) {
    if (models === 0) means = new Float64Array(embedding.length);
    models++;
    for (let i = 0; i < embedding.length; i++) {
      const [z, mean] = [embedding[i] as number, means[i] as number];
      const moved = mean + (z - mean) / models;
      means[i] = moved;
      squares += (z - mean) * (z - moved);
    }
  }
  return models < 2 ? null : Math.sqrt(squares / ((models - 1) * means.length));
}
