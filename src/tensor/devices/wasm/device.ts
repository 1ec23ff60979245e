import { existsSync } from 'node:fs';
import { freemem } from 'node:os';
import type { Device } from '../device.ts';
import { modulePath } from './build.ts';

/** Where WebAssembly's addresses end. */
const addressableBytes = 4 * 2 ** 30;

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

  memory() {
    return { host: Math.min(addressableBytes, freemem()), gpu: null };
  },

  async start({ threads }) {
    const { startWasm } = await import('./start.ts');
    await startWasm(threads);
  },
};
