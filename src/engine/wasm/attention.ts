/**
 * Self-attention on the wasm heap. One pass over qkv lays each head's matrices out one after the other, in the orientation
 * in which the products want them, so that no large matrix is ever transposed.
 */
import { tf } from '../tf.ts';
import { allocate, type BackendWasm, free, views, type WasmKernel } from './kernel.ts';
import { consecutive, multiply } from './matmul.ts';

interface Sizes {
  batch: number;
  tokens: number;
  heads: number;
  /** Width of a head. */
  width: number;
  /** The scale of the scores, 1/sqrt(width). */
  scale: number;
}

function sizesOf(qkv: tf.TensorInfo, heads: number): Sizes {
  const [batch, tokens, columns] = qkv.shape as [number, number, number];
  const width = columns / 3 / heads;
  return { batch, tokens, heads, width, scale: 1 / Math.sqrt(width) };
}

interface Layout {
  /** Whether a head's matrix is [width, tokens] and not [tokens, width]. */
  transposed?: boolean;
  /** What every number is multiplied with on the way. */
  factor?: number;
}

/**
 * A part of x [batch, tokens, parts * heads * width] as scratch: one matrix for each sample and head, one after the other.
 */
function headsOf(
  backend: BackendWasm,
  x: tf.TensorInfo,
  part: number,
  sizes: Sizes,
  { transposed = false, factor = 1 }: Layout = {},
): tf.TensorInfo {
  const { batch, tokens, heads, width } = sizes;
  const out = allocate(backend, [batch * heads, tokens, width]);
  const [from, to] = views(backend, x, out);
  const step = transposed ? tokens : 1;
  eachRow(x, part, sizes, transposed, (inX, inHeads) => {
    for (let j = 0; j < width; j++) to[inHeads + j * step] = (from[inX + j] as number) * factor;
  });
  return out;
}

/** The inverse of headsOf: writes the heads' matrices into a part of x. */
function mergeHeads(
  backend: BackendWasm,
  matrices: tf.TensorInfo,
  x: tf.TensorInfo,
  part: number,
  sizes: Sizes,
  { transposed = false, factor = 1 }: Layout = {},
): void {
  const [from, to] = views(backend, matrices, x);
  const step = transposed ? sizes.tokens : 1;
  eachRow(x, part, sizes, transposed, (inX, inHeads) => {
    for (let j = 0; j < sizes.width; j++) to[inX + j] = (from[inHeads + j * step] as number) * factor;
  });
}

/** Visits every token's row of every head: where it starts in x, and where in the heads' matrices. */
function eachRow(
  x: tf.TensorInfo,
  part: number,
  { batch, tokens, heads, width }: Sizes,
  transposed: boolean,
  visit: (inX: number, inHeads: number) => void,
): void {
  const columns = x.shape[2] as number;
  for (let sample = 0; sample < batch; sample++) {
    for (let head = 0; head < heads; head++) {
      const matrix = (sample * heads + head) * tokens * width;
      const first = sample * tokens * columns + (part * heads + head) * width;
      for (let token = 0; token < tokens; token++) {
        visit(first + token * columns, matrix + token * (transposed ? 1 : width));
      }
    }
  }
}

/** For every sample and head the product of left [m, k] and right [k, n]. */
function products(
  backend: BackendWasm,
  left: tf.TensorInfo,
  right: tf.TensorInfo,
  [count, m, k, n]: [number, number, number, number],
): tf.TensorInfo {
  const out = allocate(backend, [count, m, n]);
  multiply(backend, {
    ...{ count, m, k, n },
    left: consecutive(backend, left, m * k),
    right: consecutive(backend, right, k * n),
    out: consecutive(backend, out, m * n),
  });
  return out;
}

/** SaneAttention: the result and the attention weights. */
export const attention: WasmKernel = (inputs, backend, attributes) => {
  const qkv = inputs.qkv as tf.TensorInfo;
  const sizes = sizesOf(qkv, attributes.heads as number);
  const { batch, tokens, heads, width, scale } = sizes;
  const count = batch * heads;

  const q = headsOf(backend, qkv, 0, sizes, { factor: scale });
  const kT = headsOf(backend, qkv, 1, sizes, { transposed: true });
  const scores = products(backend, q, kT, [count, tokens, width, tokens]);
  const softmax = tf.getKernel('Softmax', 'wasm').kernelFunc;
  const probs = softmax({ inputs: { logits: scores }, backend, attrs: { dim: 2 } }) as tf.TensorInfo;
  const v = headsOf(backend, qkv, 2, sizes);
  const results = products(backend, probs, v, [count, tokens, tokens, width]);
  const out = allocate(backend, [batch, tokens, heads * width]);
  mergeHeads(backend, results, out, 0, sizes);
  free(backend, q, kT, scores, v, results);
  return [out, { ...probs, shape: [batch, heads, tokens, tokens] }];
};

/** SaneAttentionGrad: the gradient of qkv. */
export const attentionGrad: WasmKernel = (inputs, backend, attributes) => {
  const { dy, qkv, probs } = inputs as Record<'dy' | 'qkv' | 'probs', tf.TensorInfo>;
  const sizes = sizesOf(qkv, attributes.heads as number);
  const { batch, tokens, heads, width, scale } = sizes;
  const count = batch * heads;
  const out = allocate(backend, qkv.shape);

  // dV = P^T dO, as (dO^T P)^T
  const doutT = headsOf(backend, dy, 0, sizes, { transposed: true });
  const dvT = products(backend, doutT, probs, [count, width, tokens, tokens]);
  mergeHeads(backend, dvT, out, 2, sizes, { transposed: true });

  // dS = P (dO V^T - the row's sum of P dO V^T)
  const dout = headsOf(backend, dy, 0, sizes);
  const vT = headsOf(backend, qkv, 2, sizes, { transposed: true });
  const dscores = products(backend, dout, vT, [count, tokens, width, tokens]);
  softmaxGradient(...views(backend, dscores, probs), tokens);

  // dQ = scale dS K
  const k = headsOf(backend, qkv, 1, sizes);
  const dq = products(backend, dscores, k, [count, tokens, tokens, width]);
  mergeHeads(backend, dq, out, 0, sizes, { factor: scale });

  // dK = scale dS^T Q, as (Q^T dS)^T
  const qT = headsOf(backend, qkv, 0, sizes, { transposed: true, factor: scale });
  const dkT = products(backend, qT, dscores, [count, width, tokens, tokens]);
  mergeHeads(backend, dkT, out, 1, sizes, { transposed: true });
  free(backend, doutT, dvT, dout, vT, dscores, k, dq, qT, dkT);
  return out;
};

/** Turns the gradient of the attention weights, in place, into that of the scores. */
function softmaxGradient(gradient: Float32Array, probs: Float32Array, tokens: number): void {
  for (let start = 0; start < gradient.length; start += tokens) {
    let dot = 0;
    for (let j = start; j < start + tokens; j++) dot += (gradient[j] as number) * (probs[j] as number);
    for (let j = start; j < start + tokens; j++) {
      gradient[j] = (probs[j] as number) * ((gradient[j] as number) - dot);
    }
  }
}
