/** The network of a flow: from a point and a time to the velocity there. */
import { Random } from '../../base/random.ts';
import { sizeOf } from '../../base/shape.ts';
import { gelu, layerNorm, linear } from '../../tensor/ops.ts';
import type { Parameter } from '../../tensor/optimizers.ts';
import { tf } from '../../tensor/tf.ts';
import { type AutoencoderParameter, affine, norm } from '../parameters.ts';

export interface VelocityShape {
  /** Numbers of a point. */
  size: number;
  width: number;
  /** Hidden layers. */
  layers: number;
}

/** Numbers that the time becomes, as in DeepWeightFlow's released configurations for small networks. */
const timeWidth = 64;

/** Matrices with the variance of PyTorch's default, 1 / (3 inputs). */
const hidden = (name: string, out: number, inputs: number) =>
  affine(name, out, inputs, 1 / Math.sqrt(3 * inputs));

/** Every parameter. The velocity is 0 at first, as in the released code. */
export function velocityParameters({ size, width, layers }: VelocityShape): AutoencoderParameter[] {
  return [
    { name: 'time.weight', shape: [timeWidth, 1], decay: true, init: { sd: 1 } },
    { name: 'time.bias', shape: [timeWidth], decay: false, init: { sd: 1 } },
    ...Array.from({ length: layers }, (_, l) => [
      ...hidden(`hidden.${l}`, width, l === 0 ? size + timeWidth : width),
      ...norm(`norm.${l}`, width),
    ]).flat(),
    ...affine('out', size, width, 0),
  ];
}

/**
 * Layers of equal width with layer normalisation and GELU, which see the point beside an embedding of the time, GELU(w t + b). Gupta et al. have
 * one more linear map behind that embedding, which the first layer can do, three layers whose middle one has half the width, and dropout.
 */
export class VelocityNetwork {
  private readonly variables: ReadonlyMap<string, tf.Variable>;
  private readonly parameters: readonly AutoencoderParameter[];

  /** Freshly initialised from a seed. Owns its variables: dispose it. */
  constructor(
    readonly shape: VelocityShape,
    seed: number,
  ) {
    this.parameters = velocityParameters(shape);
    this.variables = new Map(
      this.parameters.map(({ name, shape, init }) => {
        const random = new Random(seed, 'generation', 'flow', 'init', name);
        const values =
          'constant' in init
            ? new Float32Array(sizeOf(shape)).fill(init.constant)
            : random.normals(sizeOf(shape)).map((x) => x * init.sd);
        return [name, tf.tidy(() => tf.variable(tf.tensor(values, shape)))];
      }),
    );
  }

  get trainable(): Parameter[] {
    return this.parameters.map(({ name, decay }) => ({ name, decay, variable: this.get(name) }));
  }

  /** Velocities [rows, size] at the points [rows, size] and times [rows, 1]. */
  velocity(points: tf.Tensor2D, times: tf.Tensor2D): tf.Tensor2D {
    let x: tf.Tensor = tf.concat([points, gelu(this.affine('time', times)) as tf.Tensor2D], 1);
    for (let l = 0; l < this.shape.layers; l++) {
      const scaled = layerNorm(
        this.affine(`hidden.${l}`, x),
        this.get(`norm.${l}.weight`),
        this.get(`norm.${l}.bias`),
      );
      x = gelu(scaled);
    }
    return this.affine('out', x) as tf.Tensor2D;
  }

  dispose(): void {
    tf.dispose([...this.variables.values()]);
  }

  private affine(name: string, x: tf.Tensor): tf.Tensor {
    return linear(x, this.get(`${name}.weight`), this.get(`${name}.bias`));
  }

  private get<T extends tf.Tensor = tf.Variable>(name: string): T {
    return this.variables.get(name) as tf.Tensor as T;
  }
}
