import { tf } from '../../tf.ts';
import { adamW } from './adamw.ts';
import { type BackendClass, extend } from './backend.ts';
import type { Addon } from './build.ts';
import { convolutions } from './conv.ts';
import { type Kernel, run } from './execute.ts';
import { asFunction } from './functions.ts';
import { FunctionLibrary } from './graph.ts';
import { requirePackage, type TensorflowBackend } from './handles.ts';
import { packageName } from './installation.ts';
import { layerNorms } from './layer-norm.ts';
import { applySettings } from './settings.ts';
import { transformerBlocks } from './transformer-block.ts';

/**
 * Makes `tensorflow` the active back end, on a compiled addon. The package's own entry is passed by: it looks for
 * the addon in its own folder only, and needs node-pre-gyp for that. Its modules ask for tfjs by `require`, which gives them
 * the copy that `import` gives us; a test holds this.
 */
export async function startTensorflow({ path, takesFunctions }: Addon): Promise<TensorflowBackend> {
  if (!tf.findBackendFactory('tensorflow')) {
    applySettings();
    const addon: unknown = requirePackage(path);
    requirePackage(`${packageName}/dist/register_all_kernels`);
    const { NodeJSKernelBackend } = requirePackage(`${packageName}/dist/nodejs_kernel_backend`) as {
      NodeJSKernelBackend: BackendClass;
    };
    tf.registerBackend('tensorflow', () => new (extend(NodeJSKernelBackend))(addon, packageName));
    const library = takesFunctions ? new FunctionLibrary(path) : undefined;
    for (const [name, kernel] of Object.entries<Kernel>(transformerBlocks))
      register(name, library ? asFunction(name, kernel, library) : kernel);
    const others = { ...convolutions, ...layerNorms, SaneAdamW: adamW };
    for (const [name, kernel] of Object.entries<Kernel>(others)) register(name, kernel);
  }
  await tf.setBackend('tensorflow');
  return tf.backend() as TensorflowBackend;
}

function register(kernelName: string, kernel: Kernel): void {
  const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) => run(kernel, inputs, attrs ?? {});
  tf.registerKernel({ kernelName, backendName: 'tensorflow', kernelFunc });
}
