/** The adapter that the tests compute on. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setEnvironment } from '../../src/base/environment.ts';
import { type Adapter, probeAdapters, surveyAdapters } from '../../src/tensor/devices/webgpu/adapters.ts';
import { findPackage, install } from '../../src/tensor/devices/webgpu/package.ts';

/** SwiftShader, a Vulkan driver that computes on the CPU: brought by `bun run check`, or where Debian's package chromium puts it. */
export const swiftShader = process.env.EXP_SWIFTSHADER ?? '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Writes a copy of SwiftShader, whose adapter has that name, no longer than its own, into the folder. Returns what VK_DRIVER_FILES is to list. */
export function copySwiftShader(folder: string, name: string): string {
  const library = readFileSync(join(swiftShader, '..', 'libvk_swiftshader.so'));
  const own = 'SwiftShader Device';
  for (let at = library.indexOf(own); at >= 0; at = library.indexOf(own, at + 1))
    library.write(name.padEnd(own.length, '\0'), at);
  const description = JSON.parse(readFileSync(swiftShader, 'utf8'));
  const path = join(folder, name.replaceAll(' ', '-'));
  description.ICD.library_path = `${path}.so`;
  writeFileSync(`${path}.so`, library);
  writeFileSync(`${path}.json`, JSON.stringify(description));
  return `${path}.json`;
}

/**
 * The first GPU; or else the first software adapter, SwiftShader if need be; or what is missing for any. On a software adapter Dawn
 * does not clear the memory of workgroups: the code for it takes SwiftShader ten times as long to compile as all the rest of a
 * kernel of 8 KB, and what is right without zeros is right with them.
 */
export async function findTestedAdapter(): Promise<Adapter | { missing: string }> {
  const found = await findAdapter();
  if ('missing' in found || !found.software) return found;
  return { ...found, options: [...found.options, 'enable-dawn-features=disable_workgroup_init'] };
}

async function findAdapter(): Promise<Adapter | { missing: string }> {
  if (!findPackage()) return { missing: `the package webgpu is not installed (${install})` };
  const found = await surveyAdapters();
  const adapter = found.adapters.find(({ software }) => !software) ?? found.adapters[0];
  if (adapter) return adapter;
  if (!existsSync(swiftShader)) {
    return { missing: `no Vulkan driver, also not ${swiftShader} (apt-get install libvulkan1 chromium)` };
  }
  const {
    adapters,
    complaints,
    failure = '',
  } = await probeAdapters({ ...process.env, VK_DRIVER_FILES: swiftShader });
  if (!adapters[0]) return { missing: `no driver that Dawn takes: ${complaints.join('; ')} ${failure}` };
  setEnvironment({ VK_DRIVER_FILES: swiftShader });
  return adapters[0];
}
