/** A thread of the wasm device: an instance of the same module on the same memory, which computes on request. */
import { stackBytes } from './build.ts';
import type { Exports, ThreadStart } from './library.ts';

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<ThreadStart>) => {
  const { module, memory, number, stack } = data;
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
  // The stack grows downwards.
  exports.__stack_pointer.value = stack + stackBytes;
  exports.__wasm_init_tls(stack + stackBytes);
  postMessage('ready');
  exports.serve(number);
};
