/** The adapter that the tests compute on. */
import { dlopen } from 'bun:ffi';
import { existsSync } from 'node:fs';
import { type Adapter, probeAdapters, surveyAdapters } from '../../src/engine/webgpu/adapters.ts';
import { findPackage, install } from '../../src/engine/webgpu/package.ts';

/** SwiftShader, a Vulkan driver that computes on the CPU, where Debian's package chromium puts it. */
export const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';

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
  const { adapters, complaints } = await probeAdapters({ ...process.env, VK_DRIVER_FILES: swiftShader });
  if (!adapters[0]) return { missing: `no driver that Dawn takes: ${complaints.join('; ')}` };
  setVariable('VK_DRIVER_FILES', swiftShader);
  return adapters[0];
}

/** For the C code of this process, which does not see `process.env`. */
function setVariable(name: string, value: string): void {
  const text = (string: string) => Buffer.from(`${string}\0`);
  const library = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6';
  const { symbols } = dlopen(library, { setenv: { args: ['cstring', 'cstring', 'i32'], returns: 'i32' } });
  symbols.setenv(text(name), text(value), 1);
}
