/** GPUs that jobs are pinned to: one job on each, or more where more jobs than GPUs are asked for. */
import { mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setEnvironment } from '../base/environment.ts';
import { Lease } from '../base/lease.ts';
import type { Diagnosis, Gpu } from '../tensor/devices/registry.ts';

/** A place on a GPU, held by one job. */
export interface Place {
  gpu: Gpu;
  /** Held by the runner, and by the worker as long as it lives. */
  lease: Lease;
}

/** Leases of GPUs lie where every runner of this user on this machine finds them, whatever its store is. */
const sharedFolder = () => join(tmpdir(), `sane-experiments-${userInfo().uid}`);

const pollMs = 300;

export class Gpus {
  /** Of each place its GPU and the file of its lease; the first places of all GPUs come first. */
  private readonly places: { gpu: Gpu; path: string }[];

  /** `jobs`: how many are to run at once; they are shared out evenly. */
  constructor(gpus: readonly Gpu[], jobs: number, folder = sharedFolder()) {
    mkdirSync(folder, { recursive: true });
    this.places = Array.from({ length: Math.max(jobs, gpus.length) }, (_, i) => {
      const gpu = gpus[i % gpus.length] as Gpu;
      return { gpu, path: join(folder, `gpu-${gpu.id}-${Math.floor(i / gpus.length)}.lease`) };
    });
  }

  /** A place that no job of this or of another runner holds, or undefined. Release its lease when the job has ended. */
  take(): Place | undefined {
    for (const { gpu, path } of this.places) {
      const lease = Lease.take(path);
      if (lease) return { gpu, lease };
    }
    return undefined;
  }

  /** A place, as soon as there is one; `told` is called once if that is not now. Undefined if the signal is given before. */
  async wait(told: () => void, signal?: AbortSignal): Promise<Place | undefined> {
    for (let first = true; !signal?.aborted; first = false) {
      const place = this.take();
      if (place) return place;
      if (first) told();
      await Bun.sleep(pollMs);
    }
    return undefined;
  }
}

/**
 * Pins this process to a GPU that no job has, as soon as there is one, and returns it; undefined on a CPU. `told` is called once if that is
 * not now. To be called before a device starts. The GPU is free again when this process ends.
 */
export async function pinProcess(
  { gpus = [] }: Pick<Diagnosis, 'gpus'>,
  told: () => void,
  folder?: string,
): Promise<Gpu | undefined> {
  if (gpus.length === 0) return undefined;
  const { gpu, lease } = (await new Gpus(gpus, gpus.length, folder).wait(told)) as Place;
  process.once('exit', () => lease.release());
  setEnvironment(gpu.env);
  return gpu;
}
