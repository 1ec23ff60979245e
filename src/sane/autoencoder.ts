/**
 * What SANE and the hyper-representation have in common: variables by name, pre-norm transformer blocks without biases and
 * without a mask, and the projection head of the contrastive loss.
 */

import { Random } from '../base/random.ts';
import type { NamedTensor } from '../base/safetensors.ts';
import { sizeOf } from '../base/shape.ts';
import { type BlockWeights, layerNorm, linear, transformerBlock } from '../tensor/ops.ts';
import type { Parameter } from '../tensor/optimizers.ts';
import { tf } from '../tensor/tf.ts';
import type { AutoencoderParameter } from './parameters.ts';
import type { Positions } from './positions.ts';

/** The block of its settings, which its random streams are named after. */
export type AutoencoderBlock = 'sane' | 'hyper_representation';

/** Initial value of a parameter, from a stream named after it. */
function initialValue(
  block: AutoencoderBlock,
  { name, shape, init }: AutoencoderParameter,
  seed: number,
): Float32Array {
  const size = sizeOf(shape);
  if ('constant' in init) return new Float32Array(size).fill(init.constant);
  return new Random(seed, block, 'init', name).normals(size).map((x) => x * init.sd);
}

export abstract class Autoencoder {
  private readonly variables: Map<string, tf.Variable>;

  /** A model with the given weights by parameter name, or freshly initialised from a seed. Owns its variables: dispose it. */
  constructor(
    readonly block: AutoencoderBlock,
    readonly parameters: readonly AutoencoderParameter[],
    private readonly sizes: { layers: number; heads: number },
    weights: ReadonlyMap<string, Float32Array> | number,
  ) {
    this.variables = new Map(
      this.parameters.map((parameter) => {
        const values =
          typeof weights === 'number' ? initialValue(block, parameter, weights) : weights.get(parameter.name);
        if (!values) throw new Error(`${block}: no weights for ${parameter.name}`);
        const value = tf.tensor(values, parameter.shape);
        const variable = tf.variable(value);
        value.dispose();
        return [parameter.name, variable];
      }),
    );
  }

  /** Tokens [rows, window, token_size] to embeddings [rows, ...]. */
  abstract encode(tokens: tf.Tensor3D, positions: Positions): tf.Tensor;

  /** Embeddings to tokens [rows, window, token_size]. */
  abstract decode(z: tf.Tensor, positions: Positions): tf.Tensor3D;

  /** Projection head of the contrastive loss: embeddings of a whole window to [rows, projection_dim], none negative. */
  project(z: tf.Tensor): tf.Tensor2D {
    let x: tf.Tensor = z.reshape([z.shape[0] as number, -1]);
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

  /** The variables by name, in the order of `parameters`. */
  get trainable(): Parameter[] {
    return this.parameters.map(({ name, decay }) => ({ name, decay, variable: this.get(name) }));
  }

  /** Copies of the weights, as they are kept on disk. */
  weights(): Promise<NamedTensor[]> {
    const copies = this.parameters.map(async ({ name, shape }) => ({
      name,
      shape,
      data: Float32Array.from(await this.get(name).data()),
    }));
    return Promise.all(copies);
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }

  protected get<T extends tf.Tensor>(name: string): T {
    return this.variables.get(name) as tf.Tensor as T;
  }

  protected affine(name: string, x: tf.Tensor): tf.Tensor {
    return linear(x, this.get(`${name}.weight`), this.get(`${name}.bias`));
  }

  protected transformer(stack: string, x: tf.Tensor): tf.Tensor {
    for (let i = 0; i < this.sizes.layers; i++) {
      x = transformerBlock(
        x as tf.Tensor3D,
        this.blockWeights(`${stack}.transformer.${i}`),
        this.sizes.heads,
      );
    }
    return x;
  }

  private blockWeights(name: string): BlockWeights {
    return {
      norm1: this.get(`${name}.ln_1.weight`),
      qkv: this.get(`${name}.attn.c_attn.weight`),
      projection: this.get(`${name}.attn.c_proj.weight`),
      norm2: this.get(`${name}.ln_2.weight`),
      fc: this.get(`${name}.mlp.c_fc.weight`),
      mlp: this.get(`${name}.mlp.c_proj.weight`),
    };
  }
}
