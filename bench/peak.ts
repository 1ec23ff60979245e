/** The machine's limit, which the rows' speeds are set beside. */
import { arch } from 'node:os';
import { join } from 'node:path';
import { findCompiler } from '../src/tensor/devices/compile.ts';
import { BenchError } from './row.ts';

/** Most float32 GFLOP/s of so many threads, measured by peak.c compiled in `folder`. Throws a BenchError without a C compiler. */
export async function measurePeak(threads: number, folder: string): Promise<number> {
  const compiler = findCompiler();
  if (!compiler) throw new BenchError('no C compiler is on PATH: the native device and the bench need one');
  const program = join(folder, 'peak');
  const cpu = arch() === 'arm64' ? '-mcpu=native' : '-march=native';
  const source = join(import.meta.dir, 'peak.c');
  await run([compiler, '-O3', cpu, '-ffp-contract=fast', '-pthread', source, '-o', program]);
  return Number(await run([program, String(threads)]));
}

/** A device of PyTorch, and the most GFLOP/s that it reaches in products of matrices, by variant of the other side. */
export interface DevicePeak {
  name: string;
  peaks: Record<string, number>;
}

/** Measures PyTorch's device with matrices of so many rows and columns. Throws a BenchError if it is not there. */
export async function measureDevicePeak(python: string, device: string, size: number): Promise<DevicePeak> {
  return JSON.parse(
    await run([python, join(import.meta.dir, 'pytorch', 'gpu_peak.py'), device, String(size)]),
  );
}

async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' });
  const output = await child.stdout.text();
  if ((await child.exited) !== 0) throw new BenchError(`failed: ${command.join(' ')}`);
  return output;
}
