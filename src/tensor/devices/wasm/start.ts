import { registerBackend } from '../../kernels/register.ts';
import { tf } from '../../tf.ts';
import { modulePath } from './build.ts';
import { WasmLibrary } from './library.ts';

let library: WasmLibrary | undefined;

/** Makes `wasm` the active back end, computing with so many threads. */
export async function startWasm(threads: number): Promise<void> {
  if (!library) {
    library = new WasmLibrary(await WebAssembly.compile(await Bun.file(modulePath).bytes()));
    registerBackend('wasm', library.functions, library.heap);
  }
  await library.setThreads(threads);
  await tf.setBackend('wasm');
}
