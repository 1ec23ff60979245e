/**
 * Fused kernels: where the active device has one for an operation of ops.ts, that one runs; elsewhere the operation is
 * composed of plain tfjs ones. All are float32 and row-major, leave their inputs unchanged and are free of gradients
 * (the operation around a kernel defines its gradient). SaneAdamW and SaneSgd may put their outputs in the place of param and its averages.
 *
 * | name | inputs | attributes | outputs |
 * |---|---|---|---|
 * | SaneLinear | x [..., in], w [out, in], b [out]? | | y [..., out] |
 * | SaneLinearGrad | dy, x, w | bias: boolean | dx, dw, db? |
 * | SaneLayerNorm | x [..., D], gain [D], bias [D]? | epsilon | y, mean, rstd, of each of the N rows of x (for SaneLayerNormGrad of the same device, in a shape of its own) |
 * | SaneLayerNormGrad | dy, x, gain, mean, rstd | bias: boolean | dx, dgain, dbias? |
 * | SaneGelu | x | | y |
 * | SaneGeluGrad | dy, x | | dx |
 * | SaneAttention | qkv [B, T, 3d] | heads | out [B, T, d], logSums [B, heads, T] |
 * | SaneAttentionGrad | dy, qkv, y (SaneAttention's out), logSums | heads | dqkv |
 * | SaneTransformerBlock | x [B, T, d], norm1 [d], qkv [3d, d], projection [d, d], norm2 [d], fc [h, d], mlp [d, h] | heads, epsilon | y [B, T, d], kept0, ... (for the gradient of the same device, as many as it likes) |
 * | SaneTransformerBlockGrad | dy, x, norm1, qkv, projection, norm2, fc, mlp, kept0, ... | heads | dx, dnorm1, dqkv, dprojection, dnorm2, dfc, dmlp |
 * | SaneMaskedSquares | x, target, mask, all of one shape | | sum, a scalar |
 * | SaneMaskedSquaresGrad | dy, x, target, mask | | dx |
 * | SaneEmbeddingGrad | dy [N, d], ids [N] int32 | rows | dtable [rows, d] |
 * | SaneBatchNorm | x [N, C], gain [C], bias [C], residual [N, C]? | epsilon, relu: boolean | y, mean [C], variance [C] |
 * | SaneBatchNormGrad | dy, x, y, gain, mean, variance | epsilon, relu, residual: boolean | dx, dgain, dbias, dresidual? |
 * | SaneConv2d | x [B, H, W, C], w [O, C, kh, kw], b [O]? | stride, padding | y |
 * | SaneConv2dGrad | dy, x, w | stride, padding, bias, inputGradient: boolean | dw, db?, dx? |
 * | SaneMaxPool | x [B, H, W, C] | filterSize, strides | y |
 * | SaneMaxPoolGrad | dy, x, y | filterSize, strides | dx |
 * | SanePopulationGradients | images [N, H, W, C], labels [N] int32, order [M, B] int32, w0 [M, O, C, kh, kw], b0 [M, O], w1, ... | layers, dropout [M] or [], seeds, start | losses [M], correct [M], dw0, db0, dw1, ... |
 * | SanePopulationScores | images, labels, w0, b0, w1, ... | layers | losses [M], accuracies [M] |
 * | SanePopulationLogits | images [N, H, W, C], w0, b0, w1, ... | layers, classes | logits [M, N, classes] |
 * | SanePopulationLogitsGrad | dy [M, N, classes], images, w0, b0, w1, ... | layers | dw0, db0, dw1, ... |
 * | SaneAdamW | a list: param0, grad0, m0, v0, param1, ... | learningRate [M] or [1], weightDecay likewise, decayed (of each parameter), coupled, beta1, beta2, epsilon, correction1, correction2 | param0, m0, v0, param1, ... |
 * | SaneSgd | a list: param0, grad0, velocity0, param1, ... | learningRate, weightDecay, decayed (as those of SaneAdamW), momentum | param0, velocity0, param1, ... |
 */
import { tf } from './tf.ts';

export type KernelName =
  | `Sane${'Linear' | 'LayerNorm' | 'BatchNorm' | 'Gelu' | 'Attention' | 'TransformerBlock' | 'MaskedSquares' | 'Conv2d' | 'MaxPool'}${'' | 'Grad'}`
  | 'SaneEmbeddingGrad'
  | `SanePopulation${'Gradients' | 'Scores' | 'Logits' | 'LogitsGrad'}`
  | 'SaneAdamW'
  | 'SaneSgd';

/** Whether the active device has this kernel. */
export function hasKernel(name: KernelName): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/**
 * Runs the active device's kernel; named inputs that are undefined are left out, a list is one of tensors. Outputs in the order of the
 * table above.
 */
export function runKernel(
  name: KernelName,
  inputs: Record<string, tf.Tensor | undefined> | readonly tf.Tensor[],
  attributes: Record<string, number | boolean | readonly number[]> = {},
): tf.Tensor[] {
  const given = Array.isArray(inputs) ? inputs : present(inputs as Record<string, tf.Tensor | undefined>);
  const outputs = tf
    .engine()
    .runKernel<tf.Tensor | tf.Tensor[]>(name, given as tf.NamedTensorMap, attributes);
  return Array.isArray(outputs) ? outputs : [outputs];
}

const present = (inputs: Record<string, tf.Tensor | undefined>) =>
  Object.fromEntries(Object.entries(inputs).filter(([, tensor]) => tensor !== undefined));
