import { attention, attentionGradient, type Sizes } from './attention.ts';
import { cumulative, geluGradient } from './gelu.ts';
import type { Handle } from './handles.ts';
import { normalize, normGradients } from './layer-norm.ts';
import { add, matMul, mul, reshape } from './operations.ts';

type Weights = Record<'norm1' | 'qkv' | 'projection' | 'norm2' | 'fc' | 'mlp', Handle>;
type Given = Weights & { x: Handle };
type Kept = Record<`kept${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10}`, Handle>;

/** Rows times a weight [out, in] transposed. */
const linear = (x: Handle, weight: Handle) => matMul(x, weight, false, true);

/** The gradients of such rows and of the weight. */
const linearGradients = (dy: Handle, x: Handle, weight: Handle): [Handle, Handle] => [
  matMul(dy, weight),
  matMul(dy, x, true),
];

const sizesOf = ({ shape }: Handle, heads: number): Sizes => {
  const [batch, tokens, width] = shape as [number, number, number];
  return [batch, tokens, heads, width / heads];
};

const rowsOf = (x: Handle) => {
  const [batch, tokens, width] = x.shape as [number, number, number];
  return reshape(x, [batch * tokens, width]);
};

/** SaneTransformerBlock and SaneTransformerBlockGrad (kernel.ts), in about two thirds of the calls that its parts make one by one. */
export const transformerBlocks = {
  SaneTransformerBlock(
    { x, norm1, qkv, projection, norm2, fc, mlp }: Given,
    { heads, epsilon }: { heads: number; epsilon: number },
  ): Handle[] {
    const rows = rowsOf(x);
    const [unit1, , rstd1] = normalize(rows, epsilon);
    const [attended, ...kept] = attention(linear(mul(unit1, norm1), qkv), sizesOf(x, heads));
    const middle = add(rows, linear(attended, projection));
    const [unit2, , rstd2] = normalize(middle, epsilon);
    const hidden = linear(mul(unit2, norm2), fc);
    const phi = cumulative(hidden);
    const y = add(middle, linear(mul(hidden, phi), mlp));
    return [reshape(y, x.shape), unit1, rstd1, ...kept, attended, unit2, rstd2, hidden, phi];
  },

  SaneTransformerBlockGrad(inputs: Given & Kept & { dy: Handle }, { heads }: { heads: number }): Handle[] {
    const { dy, x, norm1, qkv, projection, norm2, fc, mlp } = inputs;
    const { kept0: unit1, kept1: rstd1, kept2: q, kept3: k, kept4: v, kept5: weights } = inputs;
    const { kept6: attended, kept7: unit2, kept8: rstd2, kept9: hidden, kept10: phi } = inputs;
    const drows = rowsOf(dy);
    const [dgelu, dmlp] = linearGradients(drows, mul(hidden, phi), mlp);
    const [dnormed2, dfc] = linearGradients(geluGradient(dgelu, hidden, phi), mul(unit2, norm2), fc);
    const [dafter, dnorm2] = normGradients(dnormed2, unit2, rstd2, norm2);
    const dmiddle = add(drows, dafter);
    const [dattended, dprojection] = linearGradients(dmiddle, attended, projection);
    const dall = attentionGradient(dattended, [q, k, v, weights], sizesOf(x, heads));
    const [dnormed1, dqkv] = linearGradients(dall, mul(unit1, norm1), qkv);
    const [dbefore, dnorm1] = normGradients(dnormed1, unit1, rstd1, norm1);
    return [reshape(add(dmiddle, dbefore), x.shape), dnorm1, dqkv, dprojection, dnorm2, dfc, dmlp];
  },
};
