import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { KernelName } from '../../kernel.ts';
import { tf } from '../../tf.ts';
import { adamW } from './adamw.ts';
import { type Adapter, preference } from './adapters.ts';
import { registerAddN } from './add-n.ts';
import { attention } from './attention.ts';
import { attentionGrad } from './attention-grad.ts';
import { makeBackend } from './backend.ts';
import { embeddingGrad } from './embedding.ts';
import { gelu, geluGrad } from './gelu.ts';
import { layerNorm, layerNormGrad } from './layer-norm.ts';
import { linear, linearGrad } from './linear.ts';
import { maskedSquares, maskedSquaresGrad } from './masked-squares.ts';
import { maxPoolGrad } from './max-pool.ts';
import { loadDawn } from './package.ts';
import { registerSum } from './sum.ts';
import { transformerBlock, transformerBlockGrad } from './transformer-block.ts';

/** What of the adapter's limits the kernels can use; WebGPU gives a device the least that every GPU has unless it is asked for more. */
const limits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const;

const kernels = {
  SaneAdamW: adamW,
  SaneAttention: attention,
  SaneAttentionGrad: attentionGrad,
  SaneEmbeddingGrad: embeddingGrad,
  SaneGelu: gelu,
  SaneGeluGrad: geluGrad,
  SaneLayerNorm: layerNorm,
  SaneLayerNormGrad: layerNormGrad,
  SaneLinear: linear,
  SaneLinearGrad: linearGrad,
  SaneMaskedSquares: maskedSquares,
  SaneMaskedSquaresGrad: maskedSquaresGrad,
  SaneMaxPoolGrad: maxPoolGrad,
  SaneTransformerBlock: transformerBlock,
  SaneTransformerBlockGrad: transformerBlockGrad,
} satisfies Partial<Record<KernelName, unknown>>;

/** Makes `webgpu` the active back end, on that adapter. */
export async function startWebgpu({ options }: Adapter): Promise<void> {
  if (!tf.findBackendFactory('webgpu')) {
    const { create, globals } = await loadDawn();
    const gpu = create(options);
    const adapter = await gpu.requestAdapter(preference);
    if (!adapter) throw new Error(`Dawn gives no adapter for ${options.join(' ')}.`);
    const device = await adapter.requestDevice({
      requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [],
      requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
    });
    // The package's classes look for what browsers have.
    Object.assign(globalThis, globals);
    Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
    const backend = makeBackend(WebGPUBackend, device, adapter.info);
    tf.registerBackend('webgpu', () => backend);
    registerAddN(backend);
    registerSum(backend);
    for (const [kernelName, kernel] of Object.entries(kernels)) {
      tf.registerKernel({
        kernelName,
        backendName: 'webgpu',
        kernelFunc: ({ inputs, attrs }) => kernel(backend, inputs as never, attrs as never),
      });
    }
  }
  await tf.setBackend('webgpu');
}
