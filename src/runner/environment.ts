import { availableParallelism, cpus } from 'node:os';

/** What an artefact was computed on: a record for readers, in no key. Artefacts are published, so no host or user is named. */
export interface Environment {
  bun: string;
  platform: string;
  cpu: string;
  cores: number;
  /** The device that started, or null for a stage without tensors. */
  device: string | null;
  /** The GPU that it was pinned to, e.g. `NVIDIA H100 80GB HBM3`, or null where it was pinned to none. */
  gpu: string | null;
}

/** What this process runs on. */
export function describeEnvironment(device: string | null, gpu: string | null): Environment {
  return {
    bun: Bun.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    device,
    gpu: device ? gpu : null,
  };
}
