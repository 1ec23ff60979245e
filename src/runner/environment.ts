import { availableParallelism, cpus, hostname } from 'node:os';

/** Where an artefact was computed: a record for readers, in no key. */
export interface Environment {
  bun: string;
  platform: string;
  host: string;
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
    host: hostname(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    device,
    gpu: device ? gpu : null,
  };
}
