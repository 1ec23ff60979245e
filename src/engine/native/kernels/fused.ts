/** The fused kernels of engine/kernel.ts. */
import type { tf } from '../../tf.ts';
import type { NativeKernel, NativeKernels } from '../kernel.ts';
import { sizeOf } from '../kernel.ts';
import { geometry, maxPooled, maxPoolGradient } from './conv.ts';
import { unary } from './elementwise.ts';
import { scatterAdd, transposed } from './movement.ts';

type Named<Names extends string> = Record<Names, tf.TensorInfo>;
type Size2 = [number, number];
type Size3 = [number, number, number];
type Size4 = [number, number, number, number];

const linear: NativeKernel = {
  run(inputs, backend) {
    const { x, w, b } = inputs as Named<'x' | 'w'> & { b?: tf.TensorInfo };
    const [rows, width] = x.shape as Size2;
    const out = w.shape[0] as number;
    const y = backend.allocate([rows, out]);
    const numbers = [backend.address(x), backend.address(w), b ? backend.address(b) : null] as const;
    backend.library.linear(...numbers, backend.address(y), rows, width, out);
    return y;
  },
};

const linearGrad: NativeKernel = {
  run(inputs, backend, { bias }) {
    const { dy, x, w } = inputs as Named<'dy' | 'x' | 'w'>;
    const [rows, width] = x.shape as Size2;
    const out = w.shape[0] as number;
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
    const [rows, columns] = x.shape as Size2;
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
    const [rows, columns] = x.shape as Size2;
    const [dx, dgain] = [backend.allocate(x.shape), backend.allocate([columns])];
    const dbias = bias ? backend.allocate([columns]) : undefined;
    backend.library.layer_norm_grad(
      ...([backend.address(dy), backend.address(x), backend.address(gain)] as const),
      ...([backend.address(mean), backend.address(rstd), backend.address(dx)] as const),
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

const attention: NativeKernel = {
  run(inputs, backend, attributes) {
    const { qkv } = inputs as Named<'qkv'>;
    const heads = attributes.heads as number;
    const [batch, tokens, columns] = qkv.shape as Size3;
    const out = backend.allocate([batch, tokens, columns / 3]);
    const probs = backend.allocate([batch, heads, tokens, tokens]);
    const numbers = [backend.address(qkv), backend.address(out), backend.address(probs)] as const;
    backend.library.attention(...numbers, batch, tokens, heads, columns / 3 / heads);
    return [out, probs];
  },
};

const attentionGrad: NativeKernel = {
  run(inputs, backend, attributes) {
    const { dy, qkv, probs } = inputs as Named<'dy' | 'qkv' | 'probs'>;
    const heads = attributes.heads as number;
    const [batch, tokens, columns] = qkv.shape as Size3;
    const dqkv = backend.allocate(qkv.shape);
    backend.library.attention_grad(
      ...([backend.address(dy), backend.address(qkv), backend.address(probs)] as const),
      ...([backend.address(dqkv), batch, tokens, heads, columns / 3 / heads] as const),
    );
    return dqkv;
  },
};

const embeddingGrad: NativeKernel = {
  accepts: ({ dy, ids }) => dy?.dtype === 'float32' && ids?.dtype === 'int32',
  run(inputs, backend, { rows }) {
    const { dy, ids } = inputs as Named<'dy' | 'ids'>;
    return scatterAdd(backend, dy, ids, rows as number);
  },
};

/** Geometry of a valid convolution of stride 1 with a filter [O, C, kh, kw]. */
function validGeometry(x: number[], w: number[]): { numbers: Int32Array; outShape: Size4 } {
  const [batch, height, width] = x as Size4;
  const [filters, , kernelHeight, kernelWidth] = w as Size4;
  const outShape: Size4 = [batch, height - kernelHeight + 1, width - kernelWidth + 1, filters];
  const filter: Size2 = [kernelHeight, kernelWidth];
  return { numbers: geometry({ inShape: x as Size4, outShape, filter }), outShape };
}

/** The permutations between a filter [O, C, kh, kw] and what C wants, [kh, kw, C, O]. */
const [toLast, toFirst] = [
  [2, 3, 1, 0],
  [3, 2, 0, 1],
];

const conv2d: NativeKernel = {
  run(inputs, backend) {
    const { x, w, b } = inputs as Named<'x' | 'w' | 'b'>;
    const { numbers, outShape } = validGeometry(x.shape, w.shape);
    const filter = transposed(backend, w, toLast);
    const y = backend.allocate(outShape);
    const tensors = [backend.address(x), backend.address(filter), backend.address(b)] as const;
    backend.library.conv2d(...tensors, backend.address(y), numbers);
    backend.release(filter);
    return y;
  },
};

const conv2dGrad: NativeKernel = {
  run(inputs, backend, { inputGradient }) {
    const { dy, x, w } = inputs as Named<'dy' | 'x' | 'w'>;
    const { numbers } = validGeometry(x.shape, w.shape);
    const filter = transposed(backend, w, toLast);
    const dfilter = backend.allocate(filter.shape);
    const db = backend.allocate([w.shape[0] as number]);
    const given = backend.address(dy);
    backend.library.conv2d_filter_grad(given, backend.address(x), backend.address(dfilter), numbers);
    backend.library.conv2d_bias_grad(given, backend.address(db), numbers);
    const dw = transposed(backend, dfilter, toFirst);
    const dx = inputGradient ? backend.allocate(x.shape) : undefined;
    if (dx) backend.library.conv2d_input_grad(given, backend.address(filter), backend.address(dx), numbers);
    backend.release(filter, dfilter);
    return dx ? [dw, db, dx] : [dw, db];
  },
};

const squares = { filterSize: 2, strides: 2, pad: 'valid' };

const adamW: NativeKernel = {
  run(inputs, backend, attributes) {
    const rate = (name: string) => attributes[name] as number;
    const numbers = (name: string) => attributes[name] as readonly number[];
    const models = Math.max(numbers('learningRate').length, numbers('weightDecay').length);
    const forEachModel = (name: string) =>
      Float64Array.from(
        { length: models },
        (_, i) => numbers(name)[numbers(name).length === 1 ? 0 : i] as number,
      );
    const outputs: tf.TensorInfo[] = [];
    const addresses: number[] = [];
    const sizes: number[] = [];
    for (let i = 0; inputs[`param${i}`]; i++) {
      const { shape } = inputs[`param${i}`] as tf.TensorInfo;
      const old = ['param', 'grad', 'm', 'v'].map((name) => inputs[`${name}${i}`] as tf.TensorInfo);
      const next = [backend.allocate(shape), backend.allocate(shape), backend.allocate(shape)];
      addresses.push(...[...old, ...next].map((tensor) => backend.address(tensor)));
      sizes.push(sizeOf(shape));
      outputs.push(...next);
    }
    backend.library.adam(
      ...([sizes.length, models, Float64Array.from(addresses), Int32Array.from(sizes)] as const),
      ...([
        Int32Array.from(numbers('decayed')),
        forEachModel('learningRate'),
        forEachModel('weightDecay'),
      ] as const),
      ...([attributes.coupled ? 1 : 0, rate('beta1'), rate('beta2'), rate('epsilon')] as const),
      ...([rate('correction1'), rate('correction2')] as const),
    );
    return outputs as [tf.TensorInfo, ...tf.TensorInfo[]];
  },
};

export const fused: NativeKernels = {
  SaneLinear: linear,
  SaneLinearGrad: linearGrad,
  SaneLayerNorm: layerNorm,
  SaneLayerNormGrad: layerNormGrad,
  SaneGelu: unary('unary_gelu'),
  SaneGeluGrad: geluGrad,
  SaneAttention: attention,
  SaneAttentionGrad: attentionGrad,
  SaneEmbeddingGrad: embeddingGrad,
  SaneConv2d: conv2d,
  SaneConv2dGrad: conv2dGrad,
  SaneMaxPool2: { run: ({ x }, backend) => maxPooled(backend, x as tf.TensorInfo, squares) },
  SaneMaxPool2Grad: {
    run: ({ dy, x }, backend) => maxPoolGradient(backend, dy as tf.TensorInfo, x as tf.TensorInfo, squares),
  },
  SaneAdamW: adamW,
};
