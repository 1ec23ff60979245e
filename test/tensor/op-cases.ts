/** Every operation of ops.ts on fresh shapes, to be compared between devices and with the plain formulas. */
import { Random } from '../../src/base/random.ts';
import { tf } from '../../src/tensor/tf.ts';
import { testSeed } from '../seed.ts';
import { normal, type Values } from './compare.ts';
import type * as naive from './naive-ops.ts';

/** Random numbers and sizes for one purpose: the same whatever else is tested, on whichever devices. */
export function streamOf(name: string) {
  const random = new Random(testSeed, 'ops', name);
  /** An odd size from `low` (odd) on. */
  const odd = (low: number, choices = 4) => low + 2 * random.integer(choices);
  return { random, odd };
}

type Operations = typeof naive;
interface Case {
  inputs: Values[];
  apply: (ops: Operations, ...inputs: tf.Tensor[]) => tf.Tensor;
}

/** A block on x [batch, tokens, heads * width]; its weights are small enough for results of size 1. */
function blockCase(
  random: Random,
  batch: number,
  ...[tokens, heads, width, hidden]: [number, number, number, number]
): Case {
  const d = heads * width;
  const weight = (out: number, columns: number) => {
    const { shape, data } = normal(random, out, columns);
    return { shape, data: data.map((value) => value / Math.sqrt(columns)) };
  };
  return {
    inputs: [
      normal(random, batch, tokens, d),
      normal(random, d),
      ...[weight(3 * d, d), weight(d, d)],
      normal(random, d),
      ...[weight(hidden, d), weight(d, hidden)],
    ],
    apply: (ops, x, ...weights) => {
      const [norm1, qkv, projection, norm2, fc, mlp] = weights as [
        ...[tf.Tensor1D, tf.Tensor2D, tf.Tensor2D],
        ...[tf.Tensor1D, tf.Tensor2D, tf.Tensor2D],
      ];
      const block = { norm1, qkv, projection, norm2, fc, mlp };
      return tf.mul(ops.transformerBlock(x as tf.Tensor3D, block, heads), 0.2);
    },
  };
}

const makers = ({ random, odd }: ReturnType<typeof streamOf>): Record<string, (batch: number) => Case> => ({
  linear: (batch) => {
    const [width, out] = [odd(3, 20), odd(5, 40)];
    return {
      inputs: [normal(random, batch, odd(3), width), normal(random, out, width), normal(random, out)],
      apply: (ops, x, w, b) => ops.linear(x as tf.Tensor, w as tf.Tensor2D, b as tf.Tensor1D),
    };
  },
  'linear without bias, of many rows': (batch) => {
    const width = odd(33);
    return {
      inputs: [normal(random, batch * 401, width), normal(random, odd(3), width)],
      apply: (ops, x, w) => tf.mul(ops.linear(x as tf.Tensor, w as tf.Tensor2D), 0.05),
    };
  },
  layerNorm: (batch) => {
    const width = odd(5, 40);
    return {
      inputs: [normal(random, batch, odd(3, 40), width), normal(random, width), normal(random, width)],
      apply: (ops, x, gain, bias) => ops.layerNorm(x as tf.Tensor, gain as tf.Tensor1D, bias as tf.Tensor1D),
    };
  },
  'layerNorm without bias': (batch) => {
    const width = odd(5);
    return {
      inputs: [normal(random, batch, width), normal(random, width)],
      apply: (ops, x, gain) => ops.layerNorm(x as tf.Tensor, gain as tf.Tensor1D),
    };
  },
  'layerNorm of more rows than are added up at once': (batch) => {
    const width = odd(5);
    return {
      inputs: [normal(random, 128 + batch, 3, width), normal(random, width), normal(random, width)],
      apply: (ops, x, gain, bias) =>
        tf.mul(ops.layerNorm(x as tf.Tensor, gain as tf.Tensor1D, bias as tf.Tensor1D), 0.05),
    };
  },
  'layerNorm of wider rows than a workgroup': (batch) => {
    const width = odd(257, 60);
    return {
      inputs: [normal(random, batch, 3, width), normal(random, width), normal(random, width)],
      apply: (ops, x, gain, bias) => ops.layerNorm(x as tf.Tensor, gain as tf.Tensor1D, bias as tf.Tensor1D),
    };
  },
  gelu: (batch) => ({
    inputs: [{ shape: [batch, 61], data: random.normals(batch * 61).map((value) => 3 * value) }],
    apply: (ops, x) => ops.gelu(x as tf.Tensor),
  }),
  maskedSquares: (batch) => {
    const shape = [batch, odd(3, 200), odd(5, 100)];
    const size = shape.reduce((a, b) => a * b, 1);
    return {
      inputs: [{ shape, data: random.normals(size) }],
      apply: (ops, x) => {
        const target = tf.tensor(new Random(testSeed, 'target').normals(size), shape);
        const mask = tf.cast(tf.greater(target, -1), 'float32');
        return tf.mul(ops.maskedSquares(x as tf.Tensor, tf.mul(target, mask), mask), 1 / size);
      },
    };
  },
  attention: (batch) => {
    const heads = odd(1, 2);
    const width = heads * odd(3);
    return {
      inputs: [normal(random, batch, odd(3, 20), 3 * width)],
      apply: (ops, qkv) => ops.attention(qkv as tf.Tensor3D, heads),
    };
  },
  'attention of more tokens and wider heads than a panel has': (batch) => ({
    inputs: [normal(random, batch, odd(33, 20), 3 * odd(17, 20))],
    apply: (ops, qkv) => ops.attention(qkv as tf.Tensor3D, 1),
  }),
  'attention of heads of whole vectors': (batch) => {
    const [heads, width] = [odd(3, 2), 4 * odd(1, 5)];
    return {
      inputs: [normal(random, batch, odd(63, 3), 3 * heads * width)],
      apply: (ops, qkv) => ops.attention(qkv as tf.Tensor3D, heads),
    };
  },
  'attention of heads wider than a workgroup has columns': (batch) => ({
    inputs: [normal(random, batch, 33, 3 * odd(129, 4))],
    apply: (ops, qkv) => ops.attention(qkv as tf.Tensor3D, 1),
  }),
  /*
   * A score of size s that is wrong by s 2^-24, as each rounding makes it, makes e to it wrong by that part, and the gradients of
   * queries and keys, differences of terms of size 4, by some 4 s 2^-24. So the scores are exact: multiples of 2^-8 whose
   * products, sums and halves have 24 bits. What is left is one rounding, where e^s is 2^(s log2 e): 162 2^-24 ln 2.
   */
  'attention of scores so low that e to them is 0': (batch) => {
    const [tokens, width] = [odd(33), 4];
    const qkv = normal(random, batch, tokens, 3 * width);
    for (let i = 0; i < qkv.data.length; i++) {
      const part = Math.floor((i % (3 * width)) / width);
      if (part === 2) continue;
      qkv.data[i] = Math.round(256 * ((part === 0 ? 7.5 : -7.5) + 0.02 * (qkv.data[i] as number))) / 256;
    }
    return { inputs: [qkv], apply: (ops, x) => tf.mul(ops.attention(x as tf.Tensor3D, 1), 0.1) };
  },
  'attention of one token': (batch) => ({
    inputs: [normal(random, batch, 1, 3 * 8)],
    apply: (ops, qkv) => ops.attention(qkv as tf.Tensor3D, 2),
  }),
  transformerBlock: (batch) => blockCase(random, batch, odd(3, 20), odd(1, 2), odd(3), odd(5, 30)),
  'transformerBlock of whole vectors and as many tokens as a panel has': (batch) =>
    blockCase(random, batch, 32, 2, 16, 128),
  'transformerBlock of few rows and more hidden units than are multiplied at once': (batch) =>
    blockCase(random, batch, 1, 1, odd(3), 1101),
  embedding: (batch) => {
    const rows = odd(3);
    const ids = Int32Array.from({ length: batch * 5 }, () => random.integer(rows));
    return {
      inputs: [normal(random, rows, odd(3))],
      apply: (ops, table) => ops.embedding(table as tf.Tensor2D, tf.tensor(ids, [batch, 5], 'int32')),
    };
  },
  'embedding of more ids and wider rows than a workgroup has threads': (batch) => {
    const [rows, count] = [odd(3), odd(257, 40)];
    const ids = Int32Array.from({ length: batch * count }, () => random.integer(rows));
    return {
      inputs: [normal(random, rows, odd(257))],
      apply: (ops, table) =>
        tf.mul(ops.embedding(table as tf.Tensor2D, tf.tensor(ids, [batch, count], 'int32')), 0.05),
    };
  },
  conv2d: (batch) => {
    const [channels, out, kernel] = [odd(1, 2), odd(1), odd(1, 3)];
    return {
      inputs: [
        normal(random, batch, odd(7), odd(7), channels),
        normal(random, out, channels, kernel, kernel),
        normal(random, out),
      ],
      apply: (ops, x, w, b) => ops.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, b as tf.Tensor1D),
    };
  },
  'conv2d with padding, of as many channels as Winograd takes': (batch) => {
    const [channels, out] = [16 * odd(1, 2), 16 * odd(1, 2)];
    const scale = 1 / Math.sqrt(9 * channels);
    return {
      inputs: [normal(random, batch, odd(3), 2 * odd(1), channels), normal(random, out, channels, 3, 3)],
      apply: (ops, x, w) =>
        tf.mul(ops.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, undefined, { padding: 1 }), scale),
    };
  },
  maxPool: (batch) => ({
    inputs: [normal(random, batch, odd(3), 2 * odd(1), odd(1, 12))],
    apply: (ops, x) => ops.maxPool(x as tf.Tensor4D),
  }),
  'maxPool of larger squares': (batch) => ({
    inputs: [normal(random, batch, odd(3), 3 * odd(1), odd(1, 12))],
    apply: (ops, x) => ops.maxPool(x as tf.Tensor4D, 3),
  }),
});

export const caseNames = Object.keys(makers(streamOf('')));

/** An operation of ops.ts with inputs of a batch of that size. */
export const makeCase = (name: string, batch: number): Case =>
  (makers(streamOf(name))[name] as (batch: number) => Case)(batch);
