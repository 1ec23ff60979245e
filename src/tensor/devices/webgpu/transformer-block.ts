import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { tf } from '../../tf.ts';
import { attention } from './attention.ts';
import { attentionGrad } from './attention-grad.ts';
import { layerNorm, layerNormGrad } from './layer-norm.ts';
import { inputGradient, linearInto, weightGradient } from './linear.ts';
import { multiply, multiplyAll } from './product.ts';

type One = [tf.TensorInfo];
type Inputs = Record<'x' | 'norm1' | 'qkv' | 'projection' | 'norm2' | 'fc' | 'mlp', tf.TensorInfo>;

/** SaneTransformerBlock (kernel.ts): residuals and GELU are part of the products before them. */
export function transformerBlock(
  backend: WebGPUBackend,
  { x, norm1, qkv, projection, norm2, fc, mlp }: Inputs,
  { heads, epsilon }: { heads: number; epsilon: number },
): tf.TensorInfo[] {
  const first = layerNorm(backend, { x, gain: norm1 }, { epsilon }) as Normed;
  const [parts] = linearInto(backend, first[0], qkv) as One;
  const [attended, logSums] = attention(backend, { qkv: parts }, { heads }) as [tf.TensorInfo, tf.TensorInfo];
  const [middle] = linearInto(backend, attended, projection, { addend: x }) as One;
  const second = layerNorm(backend, { x: middle, gain: norm2 }, { epsilon }) as Normed;
  const [hidden, before] = linearInto(backend, second[0], fc, { gelu: true }) as [
    tf.TensorInfo,
    tf.TensorInfo,
  ];
  const [y] = linearInto(backend, hidden, mlp, { addend: middle }) as One;
  const kept: Kept = [...first, parts, attended, logSums, middle, ...second, before, hidden];
  return [y, ...kept];
}

/** SaneTransformerBlockGrad (kernel.ts): residuals are part of the norms' gradients, and the weights' gradients are computed together. */
export function transformerBlockGrad(
  backend: WebGPUBackend,
  given: Inputs & Record<'dy' | `kept${number}`, tf.TensorInfo>,
  { heads }: { heads: number },
): tf.TensorInfo[] {
  const { dy, x, norm1, qkv, projection, norm2, fc, mlp } = given;
  const kept = Array.from({ length: keptCount }, (_, i) => given[`kept${i}`]) as unknown as Kept;
  const [normed1, mean1, rstd1, parts, attended, logSums, middle, normed2, mean2, rstd2, before, hidden] =
    kept;
  const [dbefore] = multiply(backend, inputGradient(dy, mlp), { geluOf: before }) as One;
  const [dnormed2] = multiply(backend, inputGradient(dbefore, fc)) as One;
  const second = { dy: dnormed2, x: middle, gain: norm2, mean: mean2, rstd: rstd2, addend: dy };
  const [dmiddle, dnorm2] = layerNormGrad(backend, second, { bias: false }) as [tf.TensorInfo, tf.TensorInfo];
  const [dattended] = multiply(backend, inputGradient(dmiddle, projection)) as One;
  const [dparts] = attentionGrad(
    backend,
    { dy: dattended, qkv: parts, y: attended, logSums },
    { heads },
  ) as One;
  const [dnormed1] = multiply(backend, inputGradient(dparts, qkv)) as One;
  const first = { dy: dnormed1, x, gain: norm1, mean: mean1, rstd: rstd1, addend: dmiddle };
  const [dx, dnorm1] = layerNormGrad(backend, first, { bias: false }) as [tf.TensorInfo, tf.TensorInfo];
  const [dqkv, dprojection, dfc, dmlp] = multiplyAll(backend, [
    weightGradient(dparts, normed1),
    weightGradient(dmiddle, attended),
    weightGradient(dbefore, normed2),
    weightGradient(dy, hidden),
  ]) as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
  for (const { dataId } of [dbefore, dnormed2, dmiddle, dattended, dparts, dnormed1])
    backend.disposeData(dataId);
  return [dx, dnorm1, dqkv, dprojection, dnorm2, dfc, dmlp];
}

/** A norm's values, and the means and reciprocal standard deviations of the rows. */
type Normed = [y: tf.TensorInfo, mean: tf.TensorInfo, rstd: tf.TensorInfo];

/** What the gradient needs. */
type Kept = [
  ...Normed,
  ...[parts: tf.TensorInfo, attended: tf.TensorInfo, logSums: tf.TensorInfo, middle: tf.TensorInfo],
  ...Normed,
  ...[before: tf.TensorInfo, hidden: tf.TensorInfo],
];
const keptCount: Kept['length'] = 12;
