import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Device, DeviceError } from './device.ts';

/** tfjs's WebAssembly back end (XNNPACK) with our kernels where its own are slow or missing. Bun gives it one thread. */
export const wasm: Device = {
  name: 'wasm',
  kind: 'cpu',
  description: 'WebAssembly with SIMD, one thread',

  async diagnose() {
    const { name, kind, description } = this;
    const binary = join(binaries(), 'tfjs-backend-wasm-simd.wasm');
    if (existsSync(binary)) return { name, kind, description, starts: true, detail: 'needs nothing else' };
    const detail = `${binary} is missing`;
    return { name, kind, description, starts: false, detail, remedy: 'Run: bun install --frozen-lockfile' };
  },

  async start({ threads }) {
    const { tf } = await import('../tf.ts');
    const { setThreadsCount, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    // Both are read when the back end first starts, and mean nothing after that.
    setWasmPaths(`${binaries()}/`);
    setThreadsCount(threads);
    const { registerWasmKernels } = await import('../wasm/kernels.ts');
    registerWasmKernels();
    if (!(await tf.setBackend('wasm'))) {
      throw new DeviceError('The device wasm cannot start: tfjs could not load its WebAssembly module.');
    }
  },
};

/** The folder of the back end's WebAssembly modules, which tfjs does not find by itself in Bun. */
function binaries(): string {
  return join(
    dirname(Bun.resolveSync('@tensorflow/tfjs-backend-wasm/package.json', import.meta.dir)),
    'wasm-out',
  );
}
