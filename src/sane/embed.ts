/** Embeddings of whole models (Algorithm 2). */
import type { GenerationSettings } from '../experiment/types.ts';
import { hasKernel } from '../tensor/kernel.ts';
import type { Sane } from './model.ts';
import { type TokenLayout, tokenize } from './tokenize.ts';
import { defaultHalo, mapWindows } from './windows.ts';

/** More memory than attention over one network may take, in bytes. */
const mostAttention = 16 * 2 ** 30;

/**
 * How many tokens of a network SANE sees at once. Throws where a whole network would take too much memory: on devices without a kernel for it,
 * attention keeps a number for each pair of tokens in every head.
 */
export function tokensAtOnce(
  embedding: GenerationSettings['embedding'],
  { window, heads }: Pick<Sane['shape'], 'window' | 'heads'>,
  { tokens }: Pick<TokenLayout, 'tokens'>,
): number {
  if (embedding !== 'sequence') return window;
  const bytes = 4 * heads * tokens ** 2;
  if (bytes <= mostAttention || hasKernel('SaneAttention')) return tokens;
  throw new Error(
    `attention over the ${tokens} tokens of a network at once takes ${Math.round(bytes / 2 ** 30)} GiB on this device: set embedding to windows, or take the device native, wasm or webgpu`,
  );
}

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
