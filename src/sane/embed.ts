/** Embeddings of whole models (Algorithm 2): consecutive windows with context tokens on both sides, which are dropped afterwards. */
import { tf } from '../engine/tf.ts';
import { positionTensors, type Sane } from './model.ts';
import { type TokenLayout, tokenize } from './tokenize.ts';

/** Windows per forward pass. The result does not depend on it. */
const batchRows = 32;

/** A run of tokens that is kept, inside the run that the encoder sees. */
export interface Snippet {
  /** First token seen; every snippet has the same number of tokens. */
  start: number;
  /** First token kept and one past the last, in the model. */
  keep: [number, number];
}

/**
 * Cuts `tokens` into runs of at most `window - 2 halo` kept tokens, each seen in a window clamped to the model's ends. A model
 * that fits in one window is one snippet.
 */
export function snippets(tokens: number, window: number, halo: number): Snippet[] {
  if (tokens <= window) return [{ start: 0, keep: [0, tokens] }];
  const content = window - 2 * halo;
  if (content < 1)
    throw new RangeError(`a halo of ${halo} on both sides leaves nothing of a window of ${window}`);
  return Array.from({ length: Math.ceil(tokens / content) }, (_, i) => ({
    start: Math.min(Math.max(0, i * content - halo), tokens - window),
    keep: [i * content, Math.min(tokens, (i + 1) * content)],
  }));
}

/**
 * Token embeddings [tokens, latent_dim] of one model after the other, given as standardised flat vectors. The encoder sees `seen` tokens
 * at once, by default as many as in pretraining.
 */
export function* embedModels(
  sane: Sane,
  layout: TokenLayout,
  models: Iterable<Float32Array>,
  seen = sane.shape.window,
): Generator<Float32Array> {
  const { latent_dim: latent } = sane.shape;
  const window = Math.min(seen, layout.tokens);
  // A quarter of the window as context on each side.
  const plan = snippets(layout.tokens, window, Math.floor(window / 4));
  const modelsPerBatch = Math.max(1, Math.floor(batchRows / plan.length));

  const embed = (batch: readonly Float32Array[]): Float32Array[] => {
    const results = batch.map(() => new Float32Array(layout.tokens * latent));
    const jobs = batch.flatMap((flat, model) => {
      const tokens = tokenize(layout, flat);
      return plan.map((snippet) => ({ model, tokens, snippet }));
    });
    for (let first = 0; first < jobs.length; first += batchRows) {
      const rows = jobs.slice(first, first + batchRows);
      const embedded = tf.tidy(() => {
        const { tokenSize, positions } = layout;
        const x = new Float32Array(rows.length * window * tokenSize);
        const p = new Int32Array(rows.length * window * 3);
        for (const [row, { tokens, snippet }] of rows.entries()) {
          const end = snippet.start + window;
          x.set(tokens.subarray(snippet.start * tokenSize, end * tokenSize), row * window * tokenSize);
          p.set(positions.subarray(snippet.start * 3, end * 3), row * window * 3);
        }
        return sane.encode(tf.tensor3d(x, [rows.length, window, tokenSize]), positionTensors(p));
      });
      // Not within tidy, which would look for tensors among the numbers.
      const z = embedded.dataSync<'float32'>();
      embedded.dispose();
      for (const [row, { model, snippet }] of rows.entries()) {
        const from = (row * window + snippet.keep[0] - snippet.start) * latent;
        const length = (snippet.keep[1] - snippet.keep[0]) * latent;
        (results[model] as Float32Array).set(z.subarray(from, from + length), snippet.keep[0] * latent);
      }
    }
    return results;
  };

  let batch: Float32Array[] = [];
  for (const flat of models) {
    batch.push(flat);
    if (batch.length === modelsPerBatch) {
      yield* embed(batch);
      batch = [];
    }
  }
  if (batch.length > 0) yield* embed(batch);
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
