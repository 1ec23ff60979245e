import { tf } from '../tf.ts';
import { NativeBackend } from './backend.ts';
import { registerNativeKernels } from './kernel.ts';
import { convolutions } from './kernels/conv.ts';
import { elementwise } from './kernels/elementwise.ts';
import { fused } from './kernels/fused.ts';
import { products } from './kernels/matmul.ts';
import { movement } from './kernels/movement.ts';
import { populations } from './kernels/population.ts';
import { reductions } from './kernels/reduce.ts';
import { type Library, loadLibrary } from './library.ts';
import { arrayMemory, type Memory } from './memory.ts';

let library: Library | undefined;

/** Makes `native` the active back end, from the compiled library at `path`, computing with so many threads. */
export async function startNative(path: string, threads: number): Promise<void> {
  if (!library) {
    library = loadLibrary(path);
    registerBackend('native', library, arrayMemory);
  }
  library.set_threads(threads);
  await tf.setBackend('native');
}

/** Registers a back end on the library, with every kernel of tfjs's cpu back end and ours in front of them. */
export function registerBackend(name: string, library: Library, memory: Memory): void {
  tf.registerBackend(name, () => new NativeBackend(library, memory));
  tf.copyRegisteredKernels('cpu', name);
  for (const kernels of [elementwise, reductions, movement, products, convolutions, fused, populations]) {
    registerNativeKernels(name, kernels);
  }
}
