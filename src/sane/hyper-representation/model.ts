/**
 * The hyper-representation (Schürholt et al. 2022), the baseline that SANE is measured against: an autoencoder on all weights of a
 * network at once. Each layer's rows are embedded by a linear map of that layer; a transformer follows, and a bottleneck over
 * all tokens to one vector in (-1, 1). The decoder mirrors the encoder. Its blocks and its projection head are SANE's.
 */

import type { HyperRepresentationSettings } from '../../experiment/types.ts';
import { layerNorm, linear } from '../../tensor/ops.ts';
import { tf } from '../../tensor/tf.ts';
import { Autoencoder } from '../autoencoder.ts';
import { type AutoencoderParameter, affine, norm, projectionHead, transformer } from '../parameters.ts';
import type { LayerRows } from './rows.ts';

/** Sizes that decide the parameters. */
export interface HyperRepresentationShape
  extends Pick<
    HyperRepresentationSettings,
    'd_model' | 'latent_dim' | 'layers' | 'heads' | 'projection_dim'
  > {
  /** The network's layers in order. */
  rows: LayerRows[];
}

/** Every parameter. The maps into and out of the bottleneck start so that they keep the scale. */
function hyperRepresentationParameters(shape: HyperRepresentationShape): AutoencoderParameter[] {
  const { d_model: d, latent_dim: latent, layers, projection_dim, rows } = shape;
  const all = d * rows.reduce((sum, layer) => sum + layer.rows, 0);
  return [
    ...rows.flatMap(({ width }, l) => affine(`tokenizer.${l}`, d, width)),
    ...transformer('transformer_encoder', d, layers),
    ...norm('encoder_norm', d),
    ...affine('encoder_comp', latent, all, 1 / Math.sqrt(all)),
    ...affine('decoder_comp', all, latent, 1 / Math.sqrt(latent)),
    ...transformer('transformer_decoder', d, layers),
    ...norm('decoder_norm', d),
    ...rows.flatMap(({ width }, l) => affine(`detokenizer.${l}`, width, d)),
    ...projectionHead(projection_dim, latent),
  ];
}

/** Sines and cosines of the position in the network (Vaswani et al. 2017): [tokens, d], frequencies from 1 to 1/10,000. */
function positionEncoding(tokens: number, d: number): Float32Array {
  return Float32Array.from({ length: tokens * d }, (_, i) => {
    const [token, column] = [Math.floor(i / d), i % d];
    const angle = token / 10_000 ** ((column - (column % 2)) / d);
    return column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}

export class HyperRepresentation extends Autoencoder {
  private readonly tokens: number;
  private readonly width: number;
  private readonly encoding: Float32Array;

  /** A model with the given weights by parameter name, or freshly initialised from a seed. Owns its variables: dispose it. */
  constructor(
    readonly shape: HyperRepresentationShape,
    weights: ReadonlyMap<string, Float32Array> | number,
  ) {
    super('hyper_representation', hyperRepresentationParameters(shape), shape, weights);
    this.tokens = shape.rows.reduce((sum, { rows }) => sum + rows, 0);
    this.width = Math.max(...shape.rows.map(({ width }) => width));
    this.encoding = positionEncoding(this.tokens, shape.d_model);
  }

  /** Adds the position encoding to embeddings [rows, tokens, d_model], which are scaled up first as in Vaswani et al. (2017). */
  private withPositions(x: tf.Tensor): tf.Tensor {
    const { d_model: d } = this.shape;
    return tf.add(tf.mul(x, Math.sqrt(d)), tf.tensor2d(this.encoding, [this.tokens, d]));
  }

  private normalized(name: string, x: tf.Tensor): tf.Tensor {
    return layerNorm(x, this.get(`${name}.weight`), this.get(`${name}.bias`));
  }

  /** Maps the rows of each layer by a linear map of its own: [rows, tokens, ...] to [rows, tokens, ...]. */
  private layerwise(map: (rows: tf.Tensor3D, layer: number, width: number) => tf.Tensor, x: tf.Tensor3D) {
    let first = 0;
    const parts = this.shape.rows.map(({ rows, width }, l) => {
      const part = tf.slice(x, [0, first, 0], [-1, rows, -1]);
      first += rows;
      return map(part, l, width);
    });
    return tf.concat(parts, 1);
  }

  /** Whole networks as rows [rows, tokens, longest row] to embeddings [rows, latent_dim]. */
  encode(tokens: tf.Tensor3D): tf.Tensor2D {
    const embedded = this.layerwise((rows, l, width) => {
      const weight = this.get<tf.Tensor2D>(`tokenizer.${l}.weight`);
      return linear(tf.slice(rows, [0, 0, 0], [-1, -1, width]), weight, this.get(`tokenizer.${l}.bias`));
    }, tokens);
    const x = this.transformer('transformer_encoder', this.withPositions(embedded));
    const all = this.normalized('encoder_norm', x).reshape([tokens.shape[0], -1]);
    return tf.tanh(this.affine('encoder_comp', all)) as tf.Tensor2D;
  }

  /** Embeddings [rows, latent_dim] to whole networks as rows [rows, tokens, longest row]; padding is 0. */
  decode(z: tf.Tensor2D): tf.Tensor3D {
    const { d_model: d } = this.shape;
    const all = this.affine('decoder_comp', z).reshape([z.shape[0], this.tokens, d]);
    const x = this.transformer('transformer_decoder', this.withPositions(all));
    return this.layerwise(
      (rows, l, width) =>
        tf.pad(this.affine(`detokenizer.${l}`, rows), [
          [0, 0],
          [0, 0],
          [0, this.width - width],
        ]),
      this.normalized('decoder_norm', x) as tf.Tensor3D,
    ) as tf.Tensor3D;
  }
}
