/** Everything that makes tfjs's wasm back end fast: replacements of its slow kernels, and the fused ones of kernel.ts. */
import { tf } from '../tf.ts';
import { adamW } from './adamw.ts';
import { attention, attentionGrad } from './attention.ts';
import { conv2dFilterGrad, conv2dInputGradWith } from './conv2d.ts';
import { gelu, geluGrad } from './gelu.ts';
import { identity } from './identity.ts';
import { registerWasmKernel, type WasmKernel } from './kernel.ts';
import { layerNorm, layerNormGrad } from './layer-norm.ts';
import { batchMatMul } from './matmul.ts';
import { maxPool2Grad } from './max-pool2.ts';
import { sumWith } from './reduce.ts';
import { unsortedSegmentSum } from './segment-sum.ts';
import { tanh } from './tanh.ts';

/** Registers them with the wasm back end, after `@tensorflow/tfjs-backend-wasm` has been imported. Once is enough. */
export function registerWasmKernels(): void {
  if (tf.getKernel('SaneGelu', 'wasm')) return;
  const kernels: Record<string, WasmKernel> = {
    BatchMatMul: batchMatMul,
    Conv2DBackpropFilter: conv2dFilterGrad,
    Conv2DBackpropInput: conv2dInputGradWith(original('Conv2DBackpropInput')),
    Identity: identity,
    Sum: sumWith(original('Sum')),
    Tanh: tanh,
    UnsortedSegmentSum: unsortedSegmentSum,
    SaneLayerNorm: layerNorm,
    SaneLayerNormGrad: layerNormGrad,
    SaneGelu: gelu,
    SaneGeluGrad: geluGrad,
    SaneAttention: attention,
    SaneAttentionGrad: attentionGrad,
    SaneMaxPool2Grad: maxPool2Grad,
    SaneAdamW: adamW,
  };
  for (const [name, kernel] of Object.entries(kernels)) registerWasmKernel(name, kernel);
}

/** tfjs's own kernel, for the cases that a replacement leaves to it. */
function original(name: string): WasmKernel {
  const { kernelFunc } = tf.getKernel(name, 'wasm');
  return (inputs, backend, attrs) => kernelFunc({ inputs, backend, attrs: attrs as tf.NamedAttrMap });
}
