import { freemem } from 'node:os';
import { BuildError, findCompiler } from '../compile.ts';
import { type Device, DeviceError } from '../device.ts';
import { build } from './build.ts';

const remedy = 'Install one, e.g. with apt-get install gcc, or on macOS with xcode-select --install.';
const missing = 'no C compiler is on PATH (cc, gcc or clang)';

/** Our kernels in C, compiled once by the system's C compiler. */
export const native: Device = {
  name: 'native',
  kind: 'cpu',
  description: 'compiled for this CPU, several threads',

  /** Compiles the kernels if they are not in the cache yet, which takes seconds: only that shows whether they compile. */
  async diagnose() {
    const { name, kind, description } = this;
    const compiler = findCompiler();
    if (!compiler) return { name, kind, description, starts: false, detail: missing, remedy };
    try {
      await build(compiler);
      return { name, kind, description, starts: true, detail: `compiled with ${compiler}` };
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      return { name, kind, description, starts: false, detail: error.message.replace(/\.$/, '') };
    }
  },

  memory() {
    return { host: freemem(), gpu: null };
  },

  async start({ threads }) {
    const compiler = findCompiler();
    if (!compiler) throw new DeviceError(`The device native cannot start: ${missing}.`, remedy);
    const path = await build(compiler);
    const { startNative } = await import('./start.ts');
    await startNative(path, threads);
  },
};
