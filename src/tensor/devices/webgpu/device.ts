import { freemem } from 'node:os';
import {
  type Device,
  DeviceError,
  type Diagnosis,
  type Finding,
  type Gpu,
  unknownGpuBytes,
} from '../device.ts';
import {
  type Adapter,
  adapterVariable,
  probePath,
  type Survey,
  surveyAdapters,
  usableAdapters,
} from './adapters.ts';
import { findPackage, install, packageName } from './package.ts';

const remedies = {
  package: `Run: ${install}  (51 MB)`,
  driver:
    process.platform === 'darwin'
      ? 'WebGPU needs macOS 13 or newer.'
      : 'Install the Vulkan loader and a driver: apt-get install libvulkan1, and the driver of the GPU (for AMD and Intel: mesa-vulkan-drivers).',
  crash: `A driver fails, or the package ${packageName}: see what is printed by bun ${probePath}; on Linux, VK_DRIVER_FILES=<path of its .json> chooses another driver.`,
  software: `Choose the device native, which is much faster; to compute on software all the same, set ${adapterVariable} to its name and ask for --device webgpu.`,
};

/** Any GPU with a Vulkan or Metal driver, by Dawn of the optional package webgpu. */
export const webgpu: Device = {
  name: 'webgpu',
  kind: 'gpu',
  description: 'any GPU with a Vulkan or Metal driver',

  /** Asks the drivers in another process. Where a software adapter is named, its kind is `cpu`. */
  async diagnose() {
    const { name, kind, description } = this;
    const findings = [inspectPackage()];
    const common = { name, kind, description, findings };
    if (!findings[0]?.found) return refused(common);
    const survey = await surveyAdapters();
    findings.push(inspectDriver(survey));
    if (survey.adapters.length === 0) return refused(common);
    const wanted = process.env[adapterVariable];
    const usable = usableAdapters(survey.adapters, wanted);
    findings.push(inspectAdapters(survey.adapters, usable, wanted));
    const [first] = usable;
    if (!first) return refused(common);
    const { detail } = findings.at(-1) as Finding;
    return { ...common, kind: first.software ? 'cpu' : kind, starts: true, detail, gpus: usable.map(gpuOf) };
  },

  /** WebGPU does not report how much memory a GPU has. */
  memory() {
    return { host: freemem(), gpu: unknownGpuBytes };
  },

  async start() {
    const { adapters } = await surveyAdapters();
    const [adapter] = usableAdapters(adapters, process.env[adapterVariable]);
    if (!adapter)
      throw new DeviceError('The device webgpu cannot start: it has no adapter.', remedies.driver);
    const { startWebgpu } = await import('./start.ts');
    await startWebgpu(adapter);
  },
};

/** A diagnosis whose last finding says what is missing. */
function refused(common: Omit<Diagnosis, 'starts' | 'detail'> & { findings: Finding[] }): Diagnosis {
  const { detail, remedy } = common.findings.at(-1) as Finding;
  return { ...common, starts: false, detail, ...(remedy && { remedy }) };
}

/** Adapters have no number that a process could choose, only a name. */
const gpuOf = ({ name }: Adapter): Gpu => ({
  id: `webgpu-${name.replace(/\W+/g, '-')}`,
  name,
  env: { [adapterVariable]: name },
});

function inspectPackage(): Finding {
  const path = findPackage();
  if (path) return { what: 'package', found: true, detail: `${packageName} in ${path}` };
  const detail = `the optional package ${packageName} is not installed`;
  return { what: 'package', found: false, detail, remedy: remedies.package };
}

function describe({ name, count, software }: Adapter): string {
  const others = `${count} of this name or a part of it, of which WebGPU can use the first only; the device tensorflow uses all NVIDIA GPUs`;
  return `${name}${software ? ', computing on the CPU' : ''}${count > 1 ? ` (${others})` : ''}`;
}

function inspectDriver({ adapters, complaints, failure }: Survey): Finding {
  const what = 'driver';
  const drivers = [...new Set(adapters.map(({ driver }) => driver))];
  if (drivers.length > 0) return { what, found: true, detail: drivers.join('; ') };
  if (failure !== undefined)
    return { what, found: false, detail: `the program that asks drivers ${failure}`, remedy: remedies.crash };
  const said = complaints.length > 0 ? ` (Dawn says: ${complaints.join('; ')})` : '';
  return { what, found: false, detail: `no driver that WebGPU can use${said}`, remedy: remedies.driver };
}

function inspectAdapters(
  all: readonly Adapter[],
  usable: readonly Adapter[],
  wanted: string | undefined,
): Finding {
  const what = 'adapter';
  if (usable.length > 0) {
    const numbered = usable.map((adapter, number) => `${number}: ${describe(adapter)}`);
    return { what, found: true, detail: numbered.join('; ') };
  }
  const list = all.map(describe).join('; ');
  if (wanted) {
    const detail = `no adapter has "${wanted}" in its name, as ${adapterVariable} asks; there are: ${list}`;
    return {
      what,
      found: false,
      detail,
      remedy: `Set ${adapterVariable} to a part of one of their names, or unset it.`,
    };
  }
  return { what, found: false, detail: `only software: ${list}`, remedy: remedies.software };
}
