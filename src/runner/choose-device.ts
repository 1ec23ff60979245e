import { DeviceError, type Diagnosis, diagnoseDevices, type Gpu } from '../tensor/devices/registry.ts';

export interface Choice {
  chosen: Diagnosis;
  /** Faster devices of the same kind that cannot start here. */
  passedOver: Diagnosis[];
}

/**
 * The device that every job is to start when the experiment asks for that name. Throws a DeviceError that says what is
 * missing if none can start.
 */
export async function chooseDevice(requested: string): Promise<Choice> {
  const all = await diagnoseDevices(['auto', 'gpu'].includes(requested) ? undefined : requested);
  // `cpu` is the device of that name, not every device of the kind.
  const candidates = all.filter(({ name, kind }) =>
    requested === 'gpu' ? kind === 'gpu' : requested === 'auto' || requested === name,
  );
  const byKind = candidates.toSorted((a, b) => Number(b.kind === 'gpu') - Number(a.kind === 'gpu'));
  const index = byKind.findIndex(({ starts }) => starts);
  const chosen = byKind[index];
  if (chosen) {
    return { chosen, passedOver: byKind.slice(0, index).filter(({ kind }) => kind === chosen.kind) };
  }
  // A GPU device that falls back to software does not count as one.
  const software = all.filter(({ kind, gpus }) => requested === 'gpu' && kind === 'cpu' && gpus);
  const reasons = [
    ...byKind.map(({ name, detail, remedy }) => `  ${name}: ${detail}. ${remedy ?? ''}`.trimEnd()),
    ...software.map(({ name, detail }) => `  ${name}: ${detail}. Select it with --device ${name}.`),
  ];
  throw new DeviceError(
    `No device for "${requested}" can start here:\n${reasons.join('\n')}\n  Run exp doctor for details.`,
  );
}

/** Lines for the reader: which device computes, on which GPUs if any, and which would be faster. */
export function describeChoice({ chosen, passedOver }: Choice, gpus: readonly Gpu[]): string[] {
  const where = gpus.map(({ name }) => name).join(', ') || chosen.description;
  return [
    `computing on ${chosen.name} (${where})`,
    ...passedOver.map(({ name, detail, remedy }) =>
      `${name} would be faster: ${detail}. ${remedy ?? ''}`.trimEnd(),
    ),
  ];
}

/**
 * The GPUs of the chosen device with these numbers, in the order in which `exp doctor` lists them; all of them if none are given.
 * None if it has none. Throws a DeviceError about a number that no GPU has.
 */
export function chooseGpus({ name, gpus = [] }: Diagnosis, numbers: readonly number[] | undefined): Gpu[] {
  if (!numbers) return gpus;
  if (gpus.length === 0) {
    throw new DeviceError(
      `--gpus is given, but ${name} computes on the CPU.`,
      'Remove it, or add --device gpu.',
    );
  }
  return numbers.map((number) => {
    const gpu = gpus[number];
    if (gpu) return gpu;
    const known = gpus.map(({ name }, i) => `${i} (${name})`).join(', ');
    throw new DeviceError(`There is no GPU ${number} for ${name}.`, `The GPUs are ${known}.`);
  });
}
