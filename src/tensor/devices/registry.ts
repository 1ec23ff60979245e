/** The devices, and which of them a name asks for. Importing this loads no tensor engine: each device does when it starts. */
import { cpu } from './cpu/device.ts';
import {
  type Device,
  DeviceError,
  type DeviceMemory,
  type Diagnosis,
  type Finding,
  type Gpu,
} from './device.ts';
import { native } from './native/device.ts';
import { tensorflow } from './tensorflow/device.ts';
import { wasm } from './wasm/device.ts';
import { webgpu } from './webgpu/device.ts';

export { type Device, DeviceError, type DeviceMemory, type Diagnosis, type Finding, type Gpu };

/**
 * Every device, the fastest of a kind first: tensorflow has the libraries of the GPU's maker, webgpu kernels that know no GPU.
 * Where webgpu computes on the CPU, which its diagnosis says, it is the slowest.
 */
const devices: readonly Device[] = [tensorflow, native, wasm, cpu, webgpu];

/** The names that an experiment may ask for. */
export const deviceNames: readonly string[] = ['auto', 'gpu', ...devices.map(({ name }) => name)];

/** Whether the device of that name is made for GPUs. Some compute on a CPU where one is asked for by name. */
export const isGpu = (name: string): boolean =>
  devices.some((device) => device.name === name && device.kind === 'gpu');

/** What memory the started device of that name has. */
export function memoryOf(name: string): DeviceMemory {
  const device = devices.find((one) => one.name === name);
  if (!device) throw new DeviceError(`There is no device "${name}".`);
  return device.memory();
}

/** Which devices can start here, and why the others cannot; only the one of that name if it is given, as that may compile. Starts none. */
export function diagnoseDevices(only?: string): Promise<Diagnosis[]> {
  const asked = devices.filter(({ name }) => only === undefined || name === only);
  return Promise.all(asked.map((device) => device.diagnose()));
}

/**
 * Starts the device of that name: `gpu` is the best GPU that starts here, `auto` that one or else the fastest CPU device.
 * `threads` is for the devices that compute with several; `note` receives which device was chosen and which were passed over.
 * Throws a DeviceError if the name is unknown or the device cannot start; there is no other device in its place then.
 */
export async function startDevice(
  requested: string,
  options: { threads: number; note?: (line: string) => void },
): Promise<Device> {
  const candidates = candidatesOf(requested);
  const problems: DeviceError[] = [];
  for (const device of candidates) {
    try {
      await start(device, requested, options.threads);
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      problems.push(error);
      continue;
    }
    if (requested !== device.name) {
      options.note?.(`device ${requested}: ${device.name}, ${device.description}`);
      for (const { message } of problems) options.note?.(message);
    }
    return device;
  }
  const [only] = problems;
  if (only && problems.length === 1 && requested === candidates[0]?.name) throw only;
  const reasons = problems.map(({ message }) => `  ${message}`).join('\n');
  throw new DeviceError(
    `No device for "${requested}" can start here; without a GPU, ask for auto.\n${reasons}`,
  );
}

function candidatesOf(requested: string): Device[] {
  const kind = (wanted: Device['kind']) => devices.filter((device) => device.kind === wanted);
  if (requested === 'auto') return [...kind('gpu'), ...kind('cpu')];
  if (requested === 'gpu') return kind('gpu');
  const named = devices.filter(({ name }) => name === requested);
  if (named.length === 0) {
    throw new DeviceError(`There is no device "${requested}".`, `The devices are ${deviceNames.join(', ')}.`);
  }
  return named;
}

async function start(device: Device, requested: string, threads: number): Promise<void> {
  const { starts, kind, detail, remedy } = await device.diagnose();
  if (!starts) throw new DeviceError(`The device ${device.name} cannot start: ${detail}.`, remedy);
  if (kind !== device.kind && requested !== device.name)
    throw new DeviceError(`The device ${device.name} is taken only if asked for by name: ${detail}.`);
  await device.start({ threads });
}
