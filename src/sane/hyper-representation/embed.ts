/** Whole networks to their embeddings and back, a few at a time. */
import { tf } from '../../tensor/tf.ts';
import { destandardize, type Standardization, standardize } from '../standardize.ts';
import { detokenize, type TokenLayout, tokenize } from '../tokenize.ts';
import type { HyperRepresentation } from './model.ts';

/** Networks per forward pass. The result does not depend on it. */
const batchRows = 32;

/** Maps vectors of equal length, a batch at a time. */
async function mapBatches(
  vectors: readonly Float32Array[],
  transform: (x: tf.Tensor2D) => tf.Tensor,
): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  for (let start = 0; start < vectors.length; start += batchRows) {
    const batch = vectors.slice(start, start + batchRows);
    const width = (batch[0] as Float32Array).length;
    const stacked = new Float32Array(batch.length * width);
    for (const [i, vector] of batch.entries()) stacked.set(vector, i * width);
    const mapped = tf.tidy(() => transform(tf.tensor2d(stacked, [batch.length, width])));
    const values = await mapped.data<'float32'>();
    mapped.dispose();
    const size = values.length / batch.length;
    for (const i of batch.keys()) results.push(values.slice(i * size, (i + 1) * size));
  }
  return results;
}

/** Embeddings [latent_dim] of networks given as flat vectors. */
export async function embedSequences(
  model: HyperRepresentation,
  layout: TokenLayout,
  scales: Standardization,
  flats: readonly Float32Array[],
): Promise<Float32Array[]> {
  const tokens = flats.map((flat) => tokenize(layout, standardize(layout, flat, scales)));
  return mapBatches(tokens, (x) => model.encode(x.reshape([-1, layout.tokens, layout.tokenSize])));
}

/** Networks as flat vectors of embeddings [latent_dim]. */
export async function decodeSequences(
  model: HyperRepresentation,
  layout: TokenLayout,
  scales: Standardization,
  embeddings: readonly Float32Array[],
): Promise<Float32Array[]> {
  return (await mapBatches(embeddings, (z) => model.decode(z))).map((tokens) =>
    destandardize(layout, detokenize(layout, tokens), scales),
  );
}
