/** Embeddings of whole models (Algorithm 2). */
import type { Sane } from './model.ts';
import { type TokenLayout, tokenize } from './tokenize.ts';
import { defaultHalo, mapWindows } from './windows.ts';

/**
 * Token embeddings [tokens, latent_dim] of one model after the other, given as standardised flat vectors. The encoder sees `seen`
 * tokens at once, by default as many as in pretraining.
 */
export function embedModels(
  sane: Sane,
  layout: TokenLayout,
  models: Iterable<Float32Array>,
  seen = sane.shape.window,
): AsyncGenerator<Float32Array> {
  const { latent_dim } = sane.shape;
  const window = Math.min(seen, layout.tokens);
  function* tokens() {
    for (const flat of models) yield tokenize(layout, flat);
  }
  const width = { from: layout.tokenSize, to: latent_dim };
  const settings = { positions: layout.positions, window, halo: defaultHalo(window), width };
  return mapWindows(tokens(), settings, (x, positions) => sane.encode(x, positions));
}

/** The mean over tokens of token embeddings [tokens, latent]: the model embedding (section 2, "center of gravity"). */
export function meanEmbedding(embeddings: Float32Array, latent: number): Float64Array {
  const mean = new Float64Array(latent);
  const tokens = embeddings.length / latent;
  for (let i = 0; i < embeddings.length; i++) {
    mean[i % latent] = (mean[i % latent] as number) + (embeddings[i] as number) / tokens;
  }
  return mean;
}
