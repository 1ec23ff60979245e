import { existsSync } from 'node:fs';
import type { Device } from '../device.ts';
import { modulePath } from './build.ts';

/** Our kernels in C, compiled to WebAssembly beforehand. */
export const wasm: Device = {
  name: 'wasm',
  kind: 'cpu',
  description: 'WebAssembly with SIMD, several threads',

  async diagnose() {
    const { name, kind, description } = this;
    if (existsSync(modulePath))
      return { name, kind, description, starts: true, detail: 'needs nothing else' };
    const detail = `${modulePath} is missing`;
    return {
      name,
      kind,
      description,
      starts: false,
      detail,
      remedy: 'Run: git checkout src/tensor/devices/wasm',
    };
  },

  async start({ threads }) {
    const { startWasm } = await import('./start.ts');
    await startWasm(threads);
  },
};
