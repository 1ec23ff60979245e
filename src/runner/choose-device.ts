import { DeviceError, type Diagnosis, diagnoseDevices } from '../engine/device.ts';

/**
 * The device that jobs will most likely start when they ask for that name, found out without starting it. Throws a
 * DeviceError that says what is missing if none can start.
 */
export async function chooseDevice(requested: string): Promise<Diagnosis> {
  const all = await diagnoseDevices();
  const candidates = all.filter(
    ({ name, kind }) => requested === name || requested === 'auto' || requested === kind,
  );
  const byKind = candidates.toSorted((a, b) => Number(b.kind === 'gpu') - Number(a.kind === 'gpu'));
  const chosen = byKind.find(({ starts }) => starts);
  if (chosen) return chosen;
  const reasons = byKind.map(({ name, detail, remedy }) => `  ${name}: ${detail}. ${remedy ?? ''}`.trimEnd());
  throw new DeviceError(
    `No device for "${requested}" can start here:\n${reasons.join('\n')}\n  exp doctor tells more.`,
  );
}
