import { execute, executeAll, scope } from './execute.ts';
import { type Handle, integers, scalar } from './handles.ts';
import { matMul, mul, reshape, sub, transpose } from './operations.ts';

/** The sizes of attention: sequences, tokens of each, heads and numbers of a head. */
export type Sizes = readonly [batch: number, tokens: number, heads: number, width: number];

/** What attention's gradient needs: scaled queries, keys, values [B, heads, T, width], and weights [B, heads, T, T]. */
export type Kept = readonly [q: Handle, k: Handle, v: Handle, weights: Handle];

/** Rows of queries, keys and values [B T, 3d] to rows [B T, d], as attention of ops.ts. */
export const attention = (qkv: Handle, sizes: Sizes): [y: Handle, ...Kept] =>
  scope(() => {
    const [batch, tokens, heads, width] = sizes;
    const byHead = transpose(reshape(qkv, [batch, tokens, 3, heads, width]), [2, 0, 3, 1, 4]);
    const [q, k, v] = executeAll('Unpack', [byHead], { num: 3, axis: 0 }, 3) as [Handle, Handle, Handle];
    const scaled = mul(q, scalar(scaleOf(sizes)));
    const weights = execute('Softmax', [matMul(scaled, k, false, true)]);
    const y = transpose(matMul(weights, v), [0, 2, 1, 3]);
    return [reshape(y, [batch * tokens, heads * width]), scaled, k, v, weights];
  });

/** The gradient of those rows [B T, 3d]. */
export const attentionGradient = (dy: Handle, [q, k, v, weights]: Kept, sizes: Sizes): Handle =>
  scope(() => {
    const [batch, tokens, heads, width] = sizes;
    const dout = transpose(reshape(dy, [batch, tokens, heads, width]), [0, 2, 1, 3]);
    const dweights = matMul(dout, v, false, true);
    const total = execute('Sum', [mul(dweights, weights), integers([3])], { keep_dims: true });
    const dscores = mul(weights, sub(dweights, total));
    const dq = mul(matMul(dscores, k), scalar(scaleOf(sizes)));
    const parts = [dq, matMul(dscores, q, true), matMul(weights, dout, true)];
    const byHead = execute('Pack', parts, { N: 3, axis: 0 });
    return reshape(transpose(byHead, [1, 3, 0, 2, 4]), [batch * tokens, 3 * heads * width]);
  });

const scaleOf = ([, , , width]: Sizes) => 1 / Math.sqrt(width);
