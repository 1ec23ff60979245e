/**
 * SANE's autoencoder (equations 3 and 4): tokens and positions through a transformer encoder to one embedding per token, and
 * back through a decoder of the same shape. No norm after the last block.
 */
import { embedding } from '../tensor/ops.ts';
import { tf } from '../tensor/tf.ts';
import { Autoencoder } from './autoencoder.ts';
import { type SaneShape, saneParameters } from './parameters.ts';
import type { Positions } from './positions.ts';

export class Sane extends Autoencoder {
  /** A model with the given weights by parameter name, or freshly initialised from a seed. Owns its variables: dispose it. */
  constructor(
    readonly shape: SaneShape,
    weights: ReadonlyMap<string, Float32Array> | number,
  ) {
    super('sane', saneParameters(shape), shape, weights);
  }

  /** Learned position embedding: tables of token and layer added, beside that of the row; [rows, window, d_model]. */
  private positionEmbedding([n, l, r]: Positions, window: number): tf.Tensor {
    const [pe1, pe2, pe3] = [1, 2, 3].map((i) => this.get<tf.Tensor2D>(`pe.pe${i}.weight`));
    const half = tf.add(embedding(pe1 as tf.Tensor2D, n), embedding(pe2 as tf.Tensor2D, l));
    return tf.concat([half, embedding(pe3 as tf.Tensor2D, r)], -1).reshape([-1, window, this.shape.d_model]);
  }

  /** Tokens [rows, window, token_size] to embeddings [rows, window, latent_dim] (equation 3). */
  encode(tokens: tf.Tensor3D, positions: Positions): tf.Tensor3D {
    const x = tf.add(this.affine('tokenizer', tokens), this.positionEmbedding(positions, tokens.shape[1]));
    return this.affine('encoder_comp', this.transformer('transformer_encoder', x)) as tf.Tensor3D;
  }

  /** Embeddings [rows, window, latent_dim] to tokens [rows, window, token_size] (equation 4). */
  decode(z: tf.Tensor3D, positions: Positions): tf.Tensor3D {
    const x = tf.add(this.affine('decoder_comp', z), this.positionEmbedding(positions, z.shape[1]));
    return this.affine('detokenizer', this.transformer('transformer_decoder', x)) as tf.Tensor3D;
  }
}
