import { tf } from '../tf.ts';
import { NativeBackend } from './backend.ts';
import { convolutions } from './bindings/conv.ts';
import { elementwise } from './bindings/elementwise.ts';
import { fused } from './bindings/fused.ts';
import { products } from './bindings/matmul.ts';
import { movement } from './bindings/movement.ts';
import { populations } from './bindings/population.ts';
import { reductions } from './bindings/reduce.ts';
import type { Library } from './functions.ts';
import { registerNativeKernels } from './kernel.ts';
import type { Memory } from './memory.ts';

/** Registers a back end on the library, with every kernel of tfjs's cpu back end and ours in front of them. */
export function registerBackend(name: string, library: Library, memory: Memory): void {
  tf.registerBackend(name, () => new NativeBackend(library, memory));
  tf.copyRegisteredKernels('cpu', name);
  for (const kernels of [elementwise, reductions, movement, products, convolutions, fused, populations]) {
    registerNativeKernels(name, kernels);
  }
}
