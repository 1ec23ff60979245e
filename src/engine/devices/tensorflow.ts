import { dlopen } from 'bun:ffi';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Device, DeviceError } from './device.ts';

const packageName = '@tensorflow/tfjs-node-gpu';

/** What the package's libtensorflow 2.9 loads at run time, with a function of each library to find it by. */
const libraries = [
  { file: 'libcuda.so.1', symbol: 'cuInit', what: 'the NVIDIA driver' },
  { file: 'libcudart.so.11.0', symbol: 'cudaRuntimeGetVersion', what: 'the CUDA 11 runtime' },
  { file: 'libcudnn.so.8', symbol: 'cudnnGetVersion', what: 'cuDNN 8' },
];

/** NVIDIA GPUs through libtensorflow, by the optional package @tensorflow/tfjs-node-gpu. */
export const tensorflow: Device = {
  name: 'tensorflow',
  kind: 'gpu',
  description: 'NVIDIA GPU through libtensorflow (CUDA 11)',

  async diagnose() {
    const { name, kind, description } = this;
    const missing = findMissing();
    if (missing) return { name, kind, description, starts: false, ...missing };
    return {
      name,
      kind,
      description,
      starts: true,
      detail: 'package, addon, libtensorflow and CUDA are there',
    };
  },

  async start() {
    const { tf } = await import('../tf.ts');
    // The package asks for tfjs by `require`, which gives it the copy that `import` gives us; a test holds this.
    createRequire(import.meta.url)(packageName);
    if (!tf.findBackend('tensorflow')) {
      throw new DeviceError(
        `The device tensorflow cannot start: ${packageName} registered itself with another copy of tfjs.`,
        'Run: bun install --frozen-lockfile',
      );
    }
    await tf.setBackend('tensorflow');
    if (!(tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice) {
      throw new DeviceError(
        'The device tensorflow cannot start: libtensorflow sees no GPU here.',
        'Check nvidia-smi, and that LD_LIBRARY_PATH holds the CUDA 11 libraries.',
      );
    }
  },
};

/** The first thing that is missing, in the order in which they build on one another. */
function findMissing(): { detail: string; remedy: string } | undefined {
  const folder = packageFolder();
  if (!folder) {
    return { detail: `the optional package ${packageName} is not installed`, remedy: 'Run: bun install' };
  }
  const remedy = `Run: bun pm trust ${packageName}  (it downloads the addon and libtensorflow)`;
  if (!holds(join(folder, 'lib'), /^napi-v\d+$/, 'tfjs_binding.node')) {
    return {
      detail: `the native addon of ${packageName} is missing (lib/napi-v*/tfjs_binding.node)`,
      remedy,
    };
  }
  if (!holds(join(folder, 'deps'), /^lib$/, 'libtensorflow.so')) {
    return { detail: `libtensorflow is missing from ${packageName} (deps/lib/libtensorflow.so)`, remedy };
  }
  const library = libraries.find(({ file, symbol }) => !loads(file, symbol));
  return (
    library && {
      detail: `${library.what} is missing (${library.file})`,
      remedy: 'Install it, or add its folder to LD_LIBRARY_PATH.',
    }
  );
}

function packageFolder(): string | undefined {
  try {
    return dirname(Bun.resolveSync(`${packageName}/package.json`, import.meta.dir));
  } catch {
    return undefined;
  }
}

/** Whether a subfolder whose name matches holds a file whose name starts so. */
function holds(folder: string, subfolder: RegExp, file: string): boolean {
  return list(folder).some(
    (name) => subfolder.test(name) && list(join(folder, name)).some((entry) => entry.startsWith(file)),
  );
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function loads(file: string, symbol: string): boolean {
  try {
    dlopen(file, { [symbol]: { args: [], returns: 'i32' } }).close();
    return true;
  } catch {
    return false;
  }
}
