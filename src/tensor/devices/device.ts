/** What a device is: a place where tensors are computed, a tfjs back end under our name. Plain data; no tensor code. */

/** Something that a device needs, and whether it is here. */
export interface Finding {
  /** e.g. `cuDNN`. */
  what: string;
  found: boolean;
  /** What was found and where, or what is missing. */
  detail: string;
  /** What to do so that it is found. */
  remedy?: string;
}

/** One GPU, or software in the place of one, that jobs can be pinned to. */
export interface Gpu {
  /** The same for every process of the machine, and no other GPU's. */
  id: string;
  name: string;
  /** Where the driver reports it. */
  memoryBytes?: number;
  /** Environment variables of a process that is to see this GPU only. */
  env: Record<string, string>;
}

export interface Diagnosis {
  name: string;
  kind: 'gpu' | 'cpu';
  description: string;
  /** Whether the device can start here. */
  starts: boolean;
  /** What was found, or what is missing. */
  detail: string;
  /** What to do so that it starts. */
  remedy?: string;
  /** Of a device that needs several things: all of them, in the order in which they are to be fixed. */
  findings?: Finding[];
  /** Of a device that starts and has several places to compute on: those, which are GPUs if its kind is. */
  gpus?: Gpu[];
}

/** Memory in bytes. */
export interface DeviceMemory {
  /** Free in this machine, for this process. */
  host: number;
  /** The device's own, of which other jobs may have a part; null where it computes in the machine's. */
  gpu: number | null;
}

/** Assumed of a GPU whose memory is not known: what small ones have. */
export const unknownGpuBytes = 4 * 2 ** 30;

export interface Device {
  name: string;
  kind: 'gpu' | 'cpu';
  description: string;
  /** Whether it can start here, found out in less than a second (once compiled) and without starting it. */
  diagnose(): Promise<Diagnosis>;
  /** What a job may plan with, once the device is started. */
  memory(): DeviceMemory;
  /** Makes it the active back end of tfjs. Throws a DeviceError if it cannot. */
  start(options: { threads: number }): Promise<void>;
}

/** A device that was asked for cannot start, or there is none of that name. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  /** What to do about it. */
  readonly remedy: string | undefined;

  constructor(problem: string, remedy?: string) {
    super(remedy ? `${problem} ${remedy}` : problem);
    this.remedy = remedy;
  }
}
