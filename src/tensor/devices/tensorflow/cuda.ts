/** The NVIDIA GPUs of this machine, as the driver reports them. */
import { CString, dlopen, type Pointer, ptr } from 'bun:ffi';
import { fileURLToPath } from 'node:url';
import { ask } from '../ask.ts';
import type { Gpu } from '../device.ts';

const driver = 'libcuda.so.1';

/** CUDA_ERROR_NO_DEVICE: none is there, or none is visible. */
const noDevice = 100;

const functions = {
  cuInit: { args: ['u32'], returns: 'i32' },
  cuGetErrorName: { args: ['i32', 'ptr'], returns: 'i32' },
  cuDeviceGetCount: { args: ['ptr'], returns: 'i32' },
  cuDeviceGet: { args: ['ptr', 'i32'], returns: 'i32' },
  cuDeviceGetName: { args: ['ptr', 'i32', 'i32'], returns: 'i32' },
  cuDeviceGetUuid: { args: ['ptr', 'i32'], returns: 'i32' },
  cuDeviceTotalMem_v2: { args: ['ptr', 'i32'], returns: 'i32' },
} as const;

type Driver = ReturnType<typeof dlopen<typeof functions>>['symbols'];

/** The driver said no, or is not there. */
export class CudaError extends Error {
  override readonly name = 'CudaError';

  constructor(
    message: string,
    readonly driver: 'missing' | 'broken',
  ) {
    super(message);
  }
}

/** What the program that asks for the GPUs prints. */
export type CudaAnswer = { gpus: Required<Gpu>[] } | Pick<CudaError, 'message' | 'driver'>;

/**
 * As findGpus, in another process: the driver heeds CUDA_VISIBLE_DEVICES as it is when a process first calls it, and this process may be
 * pinned to one of the GPUs yet.
 */
export async function askForGpus(): Promise<Required<Gpu>[]> {
  const path = fileURLToPath(new URL('./cuda-probe.ts', import.meta.url));
  const { answer, ended } = await ask(path, process.env);
  if (answer === undefined)
    throw new CudaError(`the NVIDIA driver does not work (the program that asks it ${ended})`, 'broken');
  const reported = JSON.parse(answer) as CudaAnswer;
  if ('gpus' in reported) return reported.gpus;
  throw new CudaError(reported.message, reported.driver);
}

/**
 * The GPUs that CUDA_VISIBLE_DEVICES leaves visible, in the driver's order; no context is made on any. Throws a CudaError if
 * there is no driver or it does not work.
 */
export function findGpus(): Required<Gpu>[] {
  const cuda = load();
  const code = cuda.cuInit(0);
  if (code === noDevice) return [];
  check(cuda, 'cuInit', code);
  const count = read(cuda, 'cuDeviceGetCount', (out) => cuda.cuDeviceGetCount(out));
  return Array.from({ length: count }, (_, index) => {
    const device = read(cuda, 'cuDeviceGet', (out) => cuda.cuDeviceGet(out, index));
    const name = Buffer.alloc(256);
    check(cuda, 'cuDeviceGetName', cuda.cuDeviceGetName(ptr(name), name.length, device));
    const uuid = Buffer.alloc(16);
    check(cuda, 'cuDeviceGetUuid', cuda.cuDeviceGetUuid(ptr(uuid), device));
    const bytes = new BigUint64Array(1);
    check(cuda, 'cuDeviceTotalMem', cuda.cuDeviceTotalMem_v2(ptr(bytes), device));
    return {
      id: uuid.toString('hex'),
      name: name.toString('utf8').replace(/\0.*$/s, ''),
      memoryBytes: Number(bytes[0]),
      env: { CUDA_VISIBLE_DEVICES: visibleName(index) },
    };
  });
}

/** What CUDA_VISIBLE_DEVICES calls the GPU of that index: the caller may see only some of the machine's. */
function visibleName(index: number): string {
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  return visible === undefined ? String(index) : (visible.split(',')[index] as string).trim();
}

function load(): Driver {
  try {
    return dlopen(driver, functions).symbols;
  } catch {
    throw new CudaError(`the NVIDIA driver is missing (${driver})`, 'missing');
  }
}

function read(cuda: Driver, what: string, call: (out: Pointer) => number): number {
  const out = new Int32Array(1);
  check(cuda, what, call(ptr(out)));
  return out[0] as number;
}

function check(cuda: Driver, what: string, code: number): void {
  if (code === 0) return;
  const name = new BigUint64Array(1);
  const known = cuda.cuGetErrorName(code, ptr(name)) === 0;
  const text = known ? new CString(Number(name[0]) as Pointer).toString() : `error ${code}`;
  throw new CudaError(`the NVIDIA driver does not work (${what}: ${text})`, 'broken');
}
