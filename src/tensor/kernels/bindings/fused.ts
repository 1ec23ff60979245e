/** The fused kernels of tensor/kernel.ts. */
import type { Pointer } from 'bun:ffi';
import { sizeOf } from '../../../base/shape.ts';
import type { tf } from '../../tf.ts';
import type { NativeBackend, NativeKernel, NativeKernels } from '../kernel.ts';
import { unary } from './elementwise.ts';
import { scatterAdd } from './movement.ts';
import { optimizers } from './optimizers.ts';

type Named<Names extends string> = Record<Names, tf.TensorInfo>;
type Six<T> = [T, T, T, T, T, T];
type Size2 = [number, number];
type Size3 = [number, number, number];

/** How many vectors a tensor has along its last axis. */
const rowsOf = ({ shape }: tf.TensorInfo) => sizeOf(shape.slice(0, -1));

const linear: NativeKernel = {
  run(inputs, backend) {
    const { x, w, b } = inputs as Named<'x' | 'w'> & { b?: tf.TensorInfo };
    const [out, width] = w.shape as Size2;
    const rows = rowsOf(x);
    const y = backend.allocate([...x.shape.slice(0, -1), out]);
    const numbers = [backend.address(x), backend.address(w), b ? backend.address(b) : null] as const;
    backend.library.linear(...numbers, backend.address(y), rows, width, out);
    return y;
  },
};

const linearGrad: NativeKernel = {
  run(inputs, backend, { bias }) {
    const { dy, x, w } = inputs as Named<'dy' | 'x' | 'w'>;
    const [out, width] = w.shape as Size2;
    const rows = rowsOf(x);
    const [dx, dw] = [backend.allocate(x.shape), backend.allocate(w.shape)];
    const db = bias ? backend.allocate([out]) : undefined;
    backend.library.linear_grad(
      ...([backend.address(dy), backend.address(x), backend.address(w)] as const),
      ...([backend.address(dx), backend.address(dw), db ? backend.address(db) : null] as const),
      ...([rows, width, out] as const),
    );
    return db ? [dx, dw, db] : [dx, dw];
  },
};

const layerNorm: NativeKernel = {
  run(inputs, backend, { epsilon }) {
    const { x, gain, bias } = inputs as Named<'x' | 'gain'> & { bias?: tf.TensorInfo };
    const [rows, columns] = [rowsOf(x), gain.shape[0] as number];
    const [y, mean, rstd] = [backend.allocate(x.shape), backend.allocate([rows]), backend.allocate([rows])];
    backend.library.layer_norm(
      ...([backend.address(x), backend.address(gain), bias ? backend.address(bias) : null] as const),
      ...([backend.address(y), backend.address(mean), backend.address(rstd)] as const),
      ...([rows, columns, epsilon as number] as const),
    );
    return [y, mean, rstd];
  },
};

const layerNormGrad: NativeKernel = {
  run(inputs, backend, { bias }) {
    const { dy, x, gain, mean, rstd } = inputs as Named<'dy' | 'x' | 'gain' | 'mean' | 'rstd'>;
    const [rows, columns] = [rowsOf(x), gain.shape[0] as number];
    const [dx, dgain] = [backend.allocate(x.shape), backend.allocate([columns])];
    const dbias = bias ? backend.allocate([columns]) : undefined;
    backend.library.layer_norm_grad(
      ...([backend.address(dy), backend.address(x), backend.address(gain)] as const),
      ...([backend.address(mean), backend.address(rstd), null, backend.address(dx)] as const),
      ...([backend.address(dgain), dbias ? backend.address(dbias) : null, rows, columns] as const),
    );
    return dbias ? [dx, dgain, dbias] : [dx, dgain];
  },
};

const geluGrad: NativeKernel = {
  run(inputs, backend) {
    const { dy, x } = inputs as Named<'dy' | 'x'>;
    const dx = backend.allocate(x.shape);
    backend.library.gelu_grad(backend.address(dy), backend.address(x), backend.address(dx), sizeOf(x.shape));
    return dx;
  },
};

const maskedSquares: NativeKernel = {
  run(inputs, backend) {
    const { x, target, mask } = inputs as Named<'x' | 'target' | 'mask'>;
    const sum = backend.allocate([]);
    backend.library.masked_squares(
      ...([backend.address(x), backend.address(target), backend.address(mask)] as const),
      ...([backend.address(sum), sizeOf(x.shape)] as const),
    );
    return sum;
  },
};

const maskedSquaresGrad: NativeKernel = {
  run(inputs, backend) {
    const { dy, x, target, mask } = inputs as Named<'dy' | 'x' | 'target' | 'mask'>;
    const dx = backend.allocate(x.shape);
    backend.library.masked_squares_grad(
      ...([backend.address(dy), backend.address(x), backend.address(target)] as const),
      ...([backend.address(mask), backend.address(dx), sizeOf(x.shape)] as const),
    );
    return dx;
  },
};

const attention: NativeKernel = {
  run(inputs, backend, attributes) {
    const { qkv } = inputs as Named<'qkv'>;
    const heads = attributes.heads as number;
    const [batch, tokens, columns] = qkv.shape as Size3;
    const out = backend.allocate([batch, tokens, columns / 3]);
    const logSums = backend.allocate([batch, heads, tokens]);
    const numbers = [backend.address(qkv), backend.address(out), backend.address(logSums)] as const;
    backend.library.attention(...numbers, batch, tokens, heads, columns / 3 / heads);
    return [out, logSums];
  },
};

const attentionGrad: NativeKernel = {
  run(inputs, backend, attributes) {
    const { dy, qkv, logSums } = inputs as Named<'dy' | 'qkv' | 'logSums'>;
    const heads = attributes.heads as number;
    const [batch, tokens, columns] = qkv.shape as Size3;
    const dqkv = backend.allocate(qkv.shape);
    backend.library.attention_grad(
      ...([backend.address(dy), backend.address(qkv), backend.address(logSums)] as const),
      ...([backend.address(dqkv), batch, tokens, heads, columns / 3 / heads] as const),
    );
    return dqkv;
  },
};

/** Names of a block's gains and weights, in the order of its kernel's arguments. */
const blockWeights = ['norm1', 'qkv', 'projection', 'norm2', 'fc', 'mlp'] as const;

const addressesOf = (backend: NativeBackend, tensors: tf.TensorInfo[]) =>
  tensors.map((tensor) => backend.address(tensor)) as Six<Pointer>;

const transformerBlock: NativeKernel = {
  run(inputs, backend, { heads, epsilon }) {
    const { x, fc } = inputs as Named<'x' | 'fc'>;
    const [batch, tokens, d] = x.shape as Size3;
    const hidden = fc.shape[0] as number;
    const y = backend.allocate(x.shape);
    const kept = backend.allocate([batch * tokens * (7 * d + 2 * hidden + 4 + (heads as number))]);
    const weights = blockWeights.map((name) => inputs[name] as tf.TensorInfo);
    backend.library.transformer_block(
      ...([backend.address(x), ...addressesOf(backend, weights)] as const),
      ...([backend.address(y), backend.address(kept), batch, tokens] as const),
      ...([heads as number, d / (heads as number), hidden, epsilon as number] as const),
    );
    return [y, kept];
  },
};

const transformerBlockGrad: NativeKernel = {
  run(inputs, backend, attributes) {
    const { dy, x, fc, kept0: kept } = inputs as Named<'dy' | 'x' | 'fc' | 'kept0'>;
    const heads = attributes.heads as number;
    const [batch, tokens, d] = x.shape as Size3;
    const hidden = fc.shape[0] as number;
    const work = backend.allocate([batch * tokens * (Math.max(hidden, 3 * d) + 2 * d)]);
    const weights = blockWeights.map((name) => inputs[name] as tf.TensorInfo);
    const dx = backend.allocate(x.shape);
    const gradients = weights.map(({ shape }) => backend.allocate(shape));
    backend.library.transformer_block_grad(
      ...([backend.address(dy), backend.address(x), ...addressesOf(backend, weights)] as const),
      ...([backend.address(kept), backend.address(work), backend.address(dx)] as const),
      ...([...addressesOf(backend, gradients), batch, tokens, heads, d / heads, hidden] as const),
    );
    backend.release(work);
    return [dx, ...gradients];
  },
};

const embeddingGrad: NativeKernel = {
  accepts: ({ dy, ids }) => dy?.dtype === 'float32' && ids?.dtype === 'int32',
  run(inputs, backend, { rows }) {
    const { dy, ids } = inputs as Named<'dy' | 'ids'>;
    return scatterAdd(backend, dy, ids, rows as number);
  },
};

const batchNorm: NativeKernel = {
  run(inputs, backend, { epsilon, relu }) {
    const { x, gain, bias, residual } = inputs as Named<'x' | 'gain' | 'bias'> & { residual?: tf.TensorInfo };
    const [rows, columns] = x.shape as Size2;
    const [y, mean, variance] = [x.shape, gain.shape, gain.shape].map((shape) => backend.allocate(shape)) as [
      tf.TensorInfo,
      tf.TensorInfo,
      tf.TensorInfo,
    ];
    backend.library.batch_norm(
      ...([backend.address(x), backend.address(gain), backend.address(bias)] as const),
      ...([residual ? backend.address(residual) : null, backend.address(y)] as const),
      ...([backend.address(mean), backend.address(variance)] as const),
      ...([rows, columns, epsilon as number, relu ? 1 : 0] as const),
    );
    return [y, mean, variance];
  },
};

const batchNormGrad: NativeKernel = {
  run(inputs, backend, { epsilon, relu, residual }) {
    const { dy, x, y, gain, mean, variance } = inputs as Named<
      'dy' | 'x' | 'y' | 'gain' | 'mean' | 'variance'
    >;
    const [rows, columns] = x.shape as Size2;
    const [dx, dgain, dbias] = [
      backend.allocate(x.shape),
      backend.allocate([columns]),
      backend.allocate([columns]),
    ];
    const dresidual = residual ? backend.allocate(x.shape) : undefined;
    backend.library.batch_norm_grad(
      ...([backend.address(dy), backend.address(x), backend.address(y), backend.address(gain)] as const),
      ...([backend.address(mean), backend.address(variance), backend.address(dx)] as const),
      ...([
        backend.address(dgain),
        backend.address(dbias),
        dresidual ? backend.address(dresidual) : null,
      ] as const),
      ...([rows, columns, epsilon as number, relu ? 1 : 0] as const),
    );
    return dresidual ? [dx, dgain, dbias, dresidual] : [dx, dgain, dbias];
  },
};

export const fused: NativeKernels = {
  SaneLinear: linear,
  SaneLinearGrad: linearGrad,
  SaneLayerNorm: layerNorm,
  SaneLayerNormGrad: layerNormGrad,
  SaneGelu: unary('unary_gelu'),
  SaneGeluGrad: geluGrad,
  SaneMaskedSquares: maskedSquares,
  SaneMaskedSquaresGrad: maskedSquaresGrad,
  SaneAttention: attention,
  SaneAttentionGrad: attentionGrad,
  SaneTransformerBlock: transformerBlock,
  SaneTransformerBlockGrad: transformerBlockGrad,
  SaneEmbeddingGrad: embeddingGrad,
  SaneBatchNorm: batchNorm,
  SaneBatchNormGrad: batchNormGrad,
  ...optimizers,
};
