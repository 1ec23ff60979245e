import { dlopen } from 'bun:ffi';
import { freemem } from 'node:os';
import { dirname } from 'node:path';
import { Glob } from 'bun';
import { BuildError } from '../compile.ts';
import { type Device, DeviceError, type Finding, type Gpu, unknownGpuBytes } from '../device.ts';
import { buildAddon } from './build.ts';
import { askForGpus, CudaError, findGpus } from './cuda.ts';
import { findInstallation, type Installation, packageFolder, packageName } from './installation.ts';

const install =
  "pip install --target ~/tensorflow 'tensorflow[and-cuda]'; export EXP_TENSORFLOW=~/tensorflow/tensorflow";
const remedies = {
  missing: 'Install the NVIDIA driver; without an NVIDIA GPU, choose another device.',
  broken:
    'Repair it until nvidia-smi lists the GPU: restart the machine if the driver was just updated, otherwise reinstall it.',
  gpu: 'Without an NVIDIA GPU, choose another device; with one, nvidia-smi must list it.',
  visible: 'Unset it, or set it to the numbers of GPUs that nvidia-smi lists, such as 0.',
  package: 'Run: bun install',
  tensorflow: `Run: ${install}  (or, for CUDA 11: bun pm trust ${packageName})`,
  cuda: `Install it, or add its folder to LD_LIBRARY_PATH. The wheel includes its own: ${install}`,
  addon:
    'Install a C++ compiler, e.g. with apt-get install g++; where one is installed, its full message says what is missing.',
};

/** Tests start TensorFlow by itself, on its CPU; the device never does. */
let isStarted = false;

/** NVIDIA GPUs through libtensorflow, by the optional package @tensorflow/tfjs-node-gpu. */
export const tensorflow: Device = {
  name: 'tensorflow',
  kind: 'gpu',
  description: 'NVIDIA GPU through libtensorflow',

  /** Compiles the addon if it is not in the cache yet and all else is there, which takes seconds. */
  async diagnose() {
    const { name, kind, description } = this;
    const { gpus, ...driver } = await inspectDriver();
    const installation = findInstallation();
    const findings = [driver, inspectPackage(), ...inspectInstallation(installation)];
    if (findings.every(({ found }) => found)) findings.push(await inspectAddon(installation as Installation));
    const missing = findings.find(({ found }) => !found);
    const common = { name, kind, description, findings, starts: missing === undefined };
    if (!missing) return { ...common, detail: driver.detail, gpus };
    const { detail, remedy } = missing;
    return { ...common, detail, ...(remedy && { remedy }) };
  },

  /** A worker sees the one GPU that it is pinned to, or computes on the first that it sees. */
  memory() {
    return { host: freemem(), gpu: isStarted ? (findGpus()[0]?.memoryBytes ?? unknownGpuBytes) : null };
  },

  async start() {
    const installation = findInstallation();
    if ('missing' in installation) {
      throw new DeviceError(
        `The device tensorflow cannot start: ${installation.missing}.`,
        remedies.tensorflow,
      );
    }
    const { startTensorflow } = await import('./start.ts');
    const backend = await startTensorflow(await buildAddon(installation));
    if (!backend.isUsingGpuDevice) {
      throw new DeviceError(
        `The device tensorflow cannot start: ${installation.description} sees no GPU and would compute on the CPU.`,
        'What it printed says why: a library of CUDA that it did not find, as a rule. Or choose the device native.',
      );
    }
    isStarted = true;
  },
};

async function inspectDriver(): Promise<Finding & { gpus: Gpu[] }> {
  const what = 'GPU';
  try {
    const gpus = await askForGpus();
    const names = gpus.map(
      ({ name, memoryBytes }, i) => `${i}: ${name}, ${Math.round(memoryBytes / 2 ** 30)} GiB`,
    );
    if (gpus.length > 0) return { what, found: true, detail: names.join('; '), gpus };
    const visible = process.env.CUDA_VISIBLE_DEVICES;
    if (visible === undefined)
      return { what, found: false, detail: 'the NVIDIA driver sees no GPU', remedy: remedies.gpu, gpus };
    const detail = `CUDA_VISIBLE_DEVICES="${visible}" leaves no GPU visible`;
    return { what, found: false, detail, remedy: remedies.visible, gpus };
  } catch (error) {
    if (!(error instanceof CudaError)) throw error;
    return { what, found: false, detail: error.message, remedy: remedies[error.driver], gpus: [] };
  }
}

function inspectPackage(): Finding {
  const folder = packageFolder();
  if (folder) return { what: 'package', found: true, detail: `${packageName} in ${folder}` };
  const detail = `the optional package ${packageName} is not installed`;
  return { what: 'package', found: false, detail, remedy: remedies.package };
}

/** TensorFlow, and the libraries of CUDA that it loads when it starts. */
function inspectInstallation(installation: ReturnType<typeof findInstallation>): Finding[] {
  const what = 'TensorFlow';
  if ('missing' in installation) {
    return [{ what, found: false, detail: installation.missing, remedy: remedies.tensorflow }];
  }
  const { description, folder, cuda } = installation;
  if (!cuda) {
    const detail = `${description} is built for the CPU only`;
    return [{ what, found: false, detail, remedy: remedies.tensorflow }];
  }
  return [
    { what, found: true, detail: description },
    inspectLibrary('CUDA', `libcudart.so.${cuda.runtime}`, 'cudaRuntimeGetVersion', folder),
    inspectLibrary('cuDNN', `libcudnn.so.${cuda.cudnn}`, 'cudnnGetVersion', folder),
  ];
}

/** A library where the loader finds it, or in the wheels of NVIDIA beside TensorFlow's. */
function inspectLibrary(what: string, file: string, symbol: string, folder: string): Finding {
  const [beside] = new Glob(`nvidia/*/lib/${file}`).scanSync({ cwd: dirname(folder), absolute: true });
  if (beside) return { what, found: true, detail: beside };
  try {
    dlopen(file, { [symbol]: { args: [], returns: 'i32' } }).close();
    return { what, found: true, detail: file };
  } catch {
    return { what, found: false, detail: `${what} is missing (${file})`, remedy: remedies.cuda };
  }
}

async function inspectAddon(installation: Installation): Promise<Finding> {
  const what = 'addon';
  try {
    return { what, found: true, detail: (await buildAddon(installation)).path };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const detail = `the addon cannot be compiled: ${error.message.replace(/\.$/, '')}`;
    return { what, found: false, detail, remedy: remedies.addon };
  }
}
