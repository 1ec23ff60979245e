import { build, findCompiler } from '../native/build.ts';
import { type Device, DeviceError } from './device.ts';

const remedy = 'Install one, e.g. with apt-get install gcc, or on macOS with xcode-select --install.';
const missing = 'no C compiler is on PATH (cc, gcc or clang)';

/** Our kernels in C, compiled once by the system's C compiler. */
export const native: Device = {
  name: 'native',
  kind: 'cpu',
  description: 'compiled for this CPU, several threads',

  async diagnose() {
    const { name, kind, description } = this;
    const compiler = findCompiler();
    if (compiler) return { name, kind, description, starts: true, detail: `compiles with ${compiler}` };
    return { name, kind, description, starts: false, detail: missing, remedy };
  },

  async start({ threads }) {
    const compiler = findCompiler();
    if (!compiler) throw new DeviceError(`The device native cannot start: ${missing}.`, remedy);
    try {
      const path = await build(compiler);
      const { startNative } = await import('../native/start.ts');
      await startNative(path, threads);
    } catch (error) {
      throw new DeviceError(
        `The device native cannot start: ${(error as Error).message}`,
        'Until that is mended, ask for wasm.',
      );
    }
  },
};
