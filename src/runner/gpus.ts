/** GPUs that jobs are pinned to: one job on each, or more where more jobs than GPUs are asked for. */
import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setEnvironment } from '../base/environment.ts';
import { Lease } from '../base/lease.ts';
import type { Diagnosis, Gpu } from '../tensor/devices/registry.ts';

/** A GPU, or a share of one, held by one job. */
export interface HeldGpu {
  gpu: Gpu;
  /** Held by the runner, and by the worker as long as it lives. */
  lease: Lease;
}

/** Leases of GPUs lie where every runner of this user on this machine finds them, whatever its store is. */
const sharedFolder = () => join(tmpdir(), `sane-experiments-${userInfo().uid}`);

const pollMs = 300;

export class Gpus {
  /** Of each share its GPU and the file of its lease; the first shares of all GPUs come first. */
  private readonly shares: { gpu: Gpu; path: string }[];

  /** `jobs`: how many are to run at once; they are shared out evenly. */
  constructor(gpus: readonly Gpu[], jobs: number, folder = sharedFolder()) {
    mkdirSync(folder, { recursive: true });
    this.shares = Array.from({ length: Math.max(jobs, gpus.length) }, (_, i) => {
      const gpu = gpus[i % gpus.length] as Gpu;
      return { gpu, path: join(folder, `gpu-${gpu.id}-${Math.floor(i / gpus.length)}.lease`) };
    });
  }

  /** A GPU, or share of one, that no job of this or another runner holds, or undefined. Release its lease when the job has finished. */
  take(): HeldGpu | undefined {
    for (const { gpu, path } of this.shares) {
      const lease = Lease.take(path);
      if (lease) return { gpu, lease };
    }
    return undefined;
  }

  /** As `take`, as soon as one is free; `onWait` is called once if that is not now. Undefined if the signal is aborted before. */
  async wait(onWait: () => void, signal?: AbortSignal): Promise<HeldGpu | undefined> {
    for (let first = true; !signal?.aborted; first = false) {
      const held = this.take();
      if (held) return held;
      if (first) onWait();
      await Bun.sleep(pollMs);
    }
    return undefined;
  }
}

/**
 * Pins this process to a free GPU, as soon as there is one, and returns it; undefined on a CPU. `onWait` is called once if that is not now.
 * To be called before a device starts. The GPU is free again when this process exits.
 */
export async function pinProcess(
  { gpus = [] }: Pick<Diagnosis, 'gpus'>,
  onWait: () => void,
  folder?: string,
): Promise<Gpu | undefined> {
  if (gpus.length === 0) return undefined;
  const { gpu } = (await new Gpus(gpus, gpus.length, folder).wait(onWait)) as HeldGpu;
  setEnvironment(gpu.env);
  return gpu;
}
