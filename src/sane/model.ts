/**
 * SANE's autoencoder (equations 3 and 4): tokens and positions through a transformer encoder to one embedding per token, and
 * back through a decoder of the same shape. Pre-norm blocks without biases, no mask, no norm after the last block.
 */
import { attention, embedding, gelu, layerNorm, linear } from '../engine/ops.ts';
import type { Parameter } from '../engine/optimizers.ts';
import { Random } from '../engine/random.ts';
import type { NamedTensor } from '../engine/safetensors.ts';
import { tf } from '../engine/tf.ts';
import { type SaneParameter, type SaneShape, saneParameters } from './parameters.ts';

/** The three position indices of windows, each int32 of [rows x window] numbers. */
export type Positions = readonly [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];

/** Positions [rows, window, 3] as the three index tensors that the model wants. */
export function positionTensors(positions: Int32Array): Positions {
  const column = (k: number) =>
    tf.tensor1d(
      Int32Array.from({ length: positions.length / 3 }, (_, i) => positions[3 * i + k] as number),
      'int32',
    );
  return [column(0), column(1), column(2)];
}

/** Initial value of a parameter, from a stream named after it. */
function initialValue({ name, shape, init }: SaneParameter, seed: number): Float32Array {
  const size = shape.reduce((a, b) => a * b, 1);
  if ('constant' in init) return new Float32Array(size).fill(init.constant);
  return new Random(seed, 'sane', 'init', name).normals(size).map((x) => x * init.sd);
}

export class Sane {
  readonly parameters: readonly SaneParameter[];
  private readonly variables: Map<string, tf.Variable>;

  /** A model with the given weights by parameter name, or freshly initialised from a seed. Owns its variables: dispose it. */
  constructor(
    readonly shape: SaneShape,
    weights: ReadonlyMap<string, Float32Array> | number,
  ) {
    this.parameters = saneParameters(shape);
    this.variables = new Map(
      this.parameters.map((parameter) => {
        const values =
          typeof weights === 'number' ? initialValue(parameter, weights) : weights.get(parameter.name);
        if (!values) throw new Error(`SANE: no weights for ${parameter.name}`);
        const value = tf.tensor(values, parameter.shape);
        const variable = tf.variable(value);
        value.dispose();
        return [parameter.name, variable];
      }),
    );
  }

  /** The variables by name, in the order of `parameters`. */
  get trainable(): Parameter[] {
    return this.parameters.map(({ name, decay }) => ({ name, decay, variable: this.get(name) }));
  }

  /** Copies of the weights, as they are kept on disk. */
  weights(): NamedTensor[] {
    return this.parameters.map(({ name, shape }) => ({
      name,
      shape,
      data: Float32Array.from(this.get(name).dataSync()),
    }));
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }

  private get<T extends tf.Tensor>(name: string): T {
    return this.variables.get(name) as tf.Tensor as T;
  }

  private affine(name: string, x: tf.Tensor): tf.Tensor {
    return linear(x, this.get(`${name}.weight`), this.get(`${name}.bias`));
  }

  /** Learned position embedding: tables of token and layer added, beside that of the row; [rows, window, d_model]. */
  private positionEmbedding([n, l, r]: Positions, window: number): tf.Tensor {
    const [pe1, pe2, pe3] = [1, 2, 3].map((i) => this.get<tf.Tensor2D>(`pe.pe${i}.weight`));
    const half = tf.add(embedding(pe1 as tf.Tensor2D, n), embedding(pe2 as tf.Tensor2D, l));
    return tf.concat([half, embedding(pe3 as tf.Tensor2D, r)], -1).reshape([-1, window, this.shape.d_model]);
  }

  private transformer(stack: string, x: tf.Tensor): tf.Tensor {
    for (let i = 0; i < this.shape.layers; i++) x = this.block(`${stack}.transformer.${i}`, x);
    return x;
  }

  /** x += Attention(LN(x)); x += MLP(LN(x)). */
  private block(name: string, x: tf.Tensor): tf.Tensor {
    const qkv = linear(layerNorm(x, this.get(`${name}.ln_1.weight`)), this.get(`${name}.attn.c_attn.weight`));
    const attended = attention(qkv as tf.Tensor3D, this.shape.heads);
    const middle = tf.add(x, linear(attended, this.get(`${name}.attn.c_proj.weight`)));
    const hidden = gelu(
      linear(layerNorm(middle, this.get(`${name}.ln_2.weight`)), this.get(`${name}.mlp.c_fc.weight`)),
    );
    return tf.add(middle, linear(hidden, this.get(`${name}.mlp.c_proj.weight`)));
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

  /** Projection head of the contrastive loss: embeddings of a whole window to [rows, projection_dim], none negative. */
  project(z: tf.Tensor3D): tf.Tensor2D {
    let x: tf.Tensor = z.reshape([z.shape[0], -1]);
    for (const [linearAt, normAt] of [
      [0, 1],
      [3, 4],
    ]) {
      const head = 'projection_head.head';
      x = linear(x, this.get(`${head}.${linearAt}.weight`));
      x = tf.relu(layerNorm(x, this.get(`${head}.${normAt}.weight`), this.get(`${head}.${normAt}.bias`)));
    }
    return x as tf.Tensor2D;
  }
}
