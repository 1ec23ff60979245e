/**
 * The operations of the networks here, each differentiable, in PyTorch's conventions: weights of a linear map are
 * [out, in], those of a convolution [out, in, kh, kw]. Callers use these and plain tfjs operations, never a device's kernels.
 * Where the device has a fused kernel (kernel.ts) that one runs.
 */
export { attention } from './ops/attention.ts';
export { type BatchNormOptions, batchNorm, type RunningStatistics } from './ops/batch-norm.ts';
export { conv2d } from './ops/conv2d.ts';
export { conv2dEach, linearEach } from './ops/each-model.ts';
export { embedding } from './ops/embedding.ts';
export { gelu } from './ops/gelu.ts';
export { layerNorm } from './ops/layer-norm.ts';
export { linear } from './ops/linear.ts';
export { maskedSquares } from './ops/masked-squares.ts';
export { maxPool } from './ops/max-pool.ts';
export { averagePoolWindows, maxPoolWindows } from './ops/pool.ts';
export { type BlockWeights, transformerBlock } from './ops/transformer-block.ts';
