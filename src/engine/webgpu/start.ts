import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { tf } from '../tf.ts';
import { adamW } from './adamw.ts';
import { type Adapter, preference } from './adapters.ts';
import { registerAddN } from './add-n.ts';
import { makeBackend } from './backend.ts';
import { maxPoolGrad } from './max-pool.ts';
import { loadDawn } from './package.ts';

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
    for (const [kernelName, kernel] of Object.entries({ SaneAdamW: adamW, SaneMaxPoolGrad: maxPoolGrad })) {
      tf.registerKernel({
        kernelName,
        backendName: 'webgpu',
        kernelFunc: ({ inputs, attrs }) => kernel(backend, inputs as never, attrs as never),
      });
    }
  }
  await tf.setBackend('webgpu');
}
