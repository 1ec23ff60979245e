/** A SANE-like autoencoder (Schürholt et al. 2024, section 3.1) over exchangeable operations: what one training step computes. */
import type { Parameter } from '../src/engine/optimizers.ts';
import { Random } from '../src/engine/random.ts';
import { tf } from '../src/engine/tf.ts';

export interface Operations {
  linear(x: tf.Tensor, weight: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor;
  layerNorm(x: tf.Tensor, gain: tf.Tensor1D): tf.Tensor;
  gelu(x: tf.Tensor): tf.Tensor;
  attention(qkv: tf.Tensor3D, heads: number): tf.Tensor3D;
  embedding(table: tf.Tensor2D, ids: tf.Tensor): tf.Tensor;
}

/** The step of the bench: 16 windows in two views each. */
export const sizes = {
  ...{ layers: 4, width: 128, heads: 8, token: 289, latent: 128, window: 64, windows: 32 },
  positions: [100, 10, 40],
};

const { layers, width, heads, token, latent, window, windows, positions } = sizes;

export class Autoencoder {
  readonly parameters: Parameter[] = [];
  private readonly variables = new Map<string, tf.Variable>();
  private readonly random = new Random(1, 'bench', 'weights');

  constructor() {
    for (const [name, out, inputs] of [
      ['tokenizer', width, token],
      ['to-latent', latent, width],
      ['from-latent', width, latent],
      ['detokenizer', token, width],
    ] as const) {
      this.add(`${name}.weight`, [out, inputs]);
      this.add(`${name}.bias`, [out]);
    }
    positions.forEach((rows, axis) => {
      this.add(`position.${axis}`, [rows, width / 2]);
    });
    for (const block of this.blocks()) {
      this.add(`${block}.norm1`, [width]);
      this.add(`${block}.norm2`, [width]);
      this.add(`${block}.qkv`, [3 * width, width]);
      this.add(`${block}.attention`, [width, width]);
      this.add(`${block}.fc`, [4 * width, width]);
      this.add(`${block}.proj`, [width, 4 * width]);
    }
  }

  /** The mean squared error of the reconstruction of x [windows, window, token]; ids [windows, window] by axis. */
  loss(ops: Operations, x: tf.Tensor3D, ids: tf.Tensor[]): tf.Scalar {
    const encoded = this.stack(ops, 'encoder', this.map(ops, 'tokenizer', x), ids);
    const z = this.map(ops, 'to-latent', encoded);
    const decoded = this.stack(ops, 'decoder', this.map(ops, 'from-latent', z), ids);
    return tf.mean(tf.square(tf.sub(this.map(ops, 'detokenizer', decoded), x)));
  }

  private stack(ops: Operations, name: string, x: tf.Tensor, ids: tf.Tensor[]): tf.Tensor {
    const [n, layer, row] = ids.map((id, axis) =>
      ops.embedding(this.get(`position.${axis}`) as tf.Tensor2D, id),
    );
    let h = tf.add(x, tf.concat([tf.add(n as tf.Tensor, layer as tf.Tensor), row as tf.Tensor], -1));
    for (let i = 0; i < layers; i++) {
      const weight = (part: string) => this.get(`${name}.${i}.${part}`) as tf.Tensor2D;
      const gain = (part: string) => this.get(`${name}.${i}.${part}`) as tf.Tensor1D;
      const qkv = ops.linear(ops.layerNorm(h, gain('norm1')), weight('qkv')) as tf.Tensor3D;
      h = tf.add(h, ops.linear(ops.attention(qkv, heads), weight('attention')));
      const hidden = ops.gelu(ops.linear(ops.layerNorm(h, gain('norm2')), weight('fc')));
      h = tf.add(h, ops.linear(hidden, weight('proj')));
    }
    return h;
  }

  private map(ops: Operations, name: string, x: tf.Tensor): tf.Tensor {
    return ops.linear(x, this.get(`${name}.weight`) as tf.Tensor2D, this.get(`${name}.bias`) as tf.Tensor1D);
  }

  private blocks(): string[] {
    return ['encoder', 'decoder'].flatMap((stack) =>
      Array.from({ length: layers }, (_, i) => `${stack}.${i}`),
    );
  }

  private get(name: string): tf.Variable {
    return this.variables.get(name) as tf.Variable;
  }

  private add(name: string, shape: number[]): void {
    const values = name.includes('norm')
      ? new Float32Array(tf.util.sizeFromShape(shape)).fill(1)
      : this.random.normals(tf.util.sizeFromShape(shape)).map((value) => value * 0.02);
    const variable = tf.variable(tf.tensor(values, shape), true, name);
    this.variables.set(name, variable);
    this.parameters.push({ name, variable, decay: shape.length > 1 });
  }
}

/** One batch: tokens of standard normal numbers, and their positions. */
export function batch(): { x: tf.Tensor3D; ids: tf.Tensor[] } {
  const random = new Random(1, 'bench', 'batch');
  const x = tf.tensor3d(random.normals(windows * window * token), [windows, window, token]);
  const ids = positions.map((rows) =>
    tf.tensor2d(
      Int32Array.from({ length: windows * window }, () => random.integer(rows)),
      [windows, window],
      'int32',
    ),
  );
  return { x, ids };
}
