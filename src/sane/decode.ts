/** New models from token embeddings (equation 7, Algorithm 3). */
import type { Sane } from './model.ts';
import { detokenize, type TokenLayout } from './tokenize.ts';
import { defaultHalo, mapWindows } from './windows.ts';

/**
 * Standardised flat vectors of one model after the other, given as token embeddings [tokens, latent_dim]. Without a halo the
 * windows are decoded side by side, each without context. The decoder sees `seen` tokens at once, by default as many as in pretraining.
 */
export async function* decodeModels(
  sane: Sane,
  layout: TokenLayout,
  embeddings: Iterable<Float32Array>,
  { halo, seen = sane.shape.window }: { halo: boolean; seen?: number },
): AsyncGenerator<Float32Array> {
  const window = Math.min(seen, layout.tokens);
  const settings = {
    positions: layout.positions,
    window,
    halo: halo ? defaultHalo(window) : 0,
    width: { from: sane.shape.latent_dim, to: layout.tokenSize },
  };
  const decoded = mapWindows(embeddings, settings, (z, positions) => sane.decode(z, positions));
  for await (const tokens of decoded) yield detokenize(layout, tokens);
}
