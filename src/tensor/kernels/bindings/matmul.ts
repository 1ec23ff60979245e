/** Matrix products with every transposition, and batches that are broadcast. */
import { sizeOf } from '../../../base/shape.ts';
import { tf } from '../../tf.ts';
import type { Inputs, NativeBackend, NativeKernel, NativeKernels } from '../kernel.ts';
import { allFloat } from '../kernel.ts';
import { broadcastStrides } from '../strided.ts';
import { elementwise } from './elementwise.ts';

/** a [..., m, k] times b [..., k, n], each possibly stored transposed, plus bias [n]. */
function product(
  backend: NativeBackend,
  { a, b, bias }: { a: tf.TensorInfo; b: tf.TensorInfo; bias?: tf.TensorInfo | undefined },
  transposeA: boolean,
  transposeB: boolean,
): tf.TensorInfo {
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== inner) {
    throw new Error(
      `A matrix product of [${a.shape}] and [${b.shape}] has unequal inner sizes ${k} and ${inner}.`,
    );
  }
  const [aBatch, bBatch] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = tf.backend_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const out = backend.allocate([...batch, m, n]);
  const index = matrixNumbers(batch, broadcastStrides(aBatch, batch), broadcastStrides(bBatch, batch));
  backend.library.batch_matmul(
    ...([backend.address(a), backend.address(b), bias ? backend.address(bias) : null] as const),
    ...([backend.address(out), index, index.length / 2, m, k, n, +transposeA, +transposeB] as const),
  );
  return out;
}

/** The numbers of the left and of the right matrix of each product of a batch. */
function matrixNumbers(batch: number[], left: number[], right: number[]): Int32Array {
  const index = new Int32Array(2 * sizeOf(batch));
  for (let i = 0; i < index.length / 2; i++) {
    let rest = i;
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      const position = rest % (batch[axis] as number);
      rest = Math.floor(rest / (batch[axis] as number));
      index[2 * i] = (index[2 * i] as number) + position * (left[axis] as number);
      index[2 * i + 1] = (index[2 * i + 1] as number) + position * (right[axis] as number);
    }
  }
  return index;
}

const batchMatMul: NativeKernel = {
  run(inputs, backend, { transposeA, transposeB }) {
    const { a, b } = inputs as Record<'a' | 'b', tf.TensorInfo>;
    return product(backend, { a, b }, transposeA === true, transposeB === true);
  },
};

/** tfjs's names of activations and the kernels of them. */
const activations: Record<string, string> = {
  relu: 'Relu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
};

const fusedMatMul: NativeKernel = {
  accepts: (inputs: Inputs, { activation }) => {
    const { b, bias } = inputs;
    const simple =
      activation === undefined || activation === 'linear' || (activation as string) in activations;
    // A bias that is no row is broadcast by tfjs's kernel; its size is that of one of b's last two axes then or 1.
    const row = !bias || (bias.shape.length === 1 && b?.shape.slice(-2).includes(bias.shape[0] as number));
    return allFloat(inputs) && simple && row === true && bias?.shape[0] !== 1;
  },
  run(inputs, backend, attributes) {
    const { a, b, bias } = inputs as Record<'a' | 'b', tf.TensorInfo> & Inputs;
    const { transposeA, transposeB, activation, leakyreluAlpha } = attributes as Record<string, unknown>;
    const y = product(backend, { a, b, bias }, transposeA === true, transposeB === true);
    const kernel = elementwise[activations[activation as string] ?? ''];
    if (!kernel) return y;
    const activated = kernel.run({ x: y }, backend, { alpha: leakyreluAlpha });
    backend.release(y);
    return activated;
  },
};

export const products: NativeKernels = { BatchMatMul: batchMatMul, _FusedMatMul: fusedMatMul };
