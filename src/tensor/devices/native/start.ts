import { dlopen } from 'bun:ffi';
import { functions, type Library } from '../../kernels/functions.ts';
import { arrayMemory } from '../../kernels/memory.ts';
import { registerBackend } from '../../kernels/register.ts';
import { tf } from '../../tf.ts';

let library: Library | undefined;

/** Makes `native` the active back end, from the compiled library at `path`, computing with so many threads. */
export async function startNative(path: string, threads: number): Promise<void> {
  if (!library) {
    library = dlopen(path, functions).symbols;
    registerBackend('native', library, arrayMemory);
  }
  library.set_threads(threads);
  await tf.setBackend('native');
}
