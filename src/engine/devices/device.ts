/** What a device is: a place where tensors are computed, a tfjs back end under our name. Plain data; no tensor code. */

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
}

export interface Device {
  name: string;
  kind: 'gpu' | 'cpu';
  description: string;
  /** Whether it can start here, found out in less than a second and without starting it. */
  diagnose(): Promise<Diagnosis>;
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
