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
}

/** What this process runs on. */
export function describeEnvironment(device: string | null): Environment {
  return {
    bun: Bun.version,
    platform: `${process.platform}-${process.arch}`,
    host: hostname(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    device,
  };
}
