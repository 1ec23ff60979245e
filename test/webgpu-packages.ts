/**
 * What the tests of webgpu need on a machine without a GPU: Dawn, and SwiftShader, a Vulkan driver that computes on the CPU, with a
 * loader. Both are installed from npm into a folder of their own: in the project's packages Dawn would be one of its devices.
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { packageName, packagesVariable, packageVersion } from '../src/tensor/devices/webgpu/package.ts';
import { findTestedAdapter } from './tensor/webgpu-adapter.ts';

/** A Chromium for servers, whose archive has the driver and the loader. */
const chromium = { name: '@sparticuz/chromium', version: '153.0.0' };

const folder = join(import.meta.dir, '..', 'node_modules', '.cache', 'webgpu');

/** What the tests of webgpu need in the environment, where the machine has none of it. Without, they are skipped; the reason is printed. */
export async function webgpuEnvironment(): Promise<Record<string, string>> {
  if (!('missing' in (await findTestedAdapter()))) return {};
  const installed = await installWebgpu();
  if ('env' in installed) return installed.env;
  console.log(`Dawn and a driver for webgpu cannot be had: ${installed.missing}`);
  return {};
}

/** The environment in which the tests find them; or why they are not here. */
async function installWebgpu(): Promise<{ env: Record<string, string> } | { missing: string }> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return { missing: `no software driver is installed for ${process.platform} on ${process.arch}` };
  const versions = `${packageVersion} ${chromium.version}`;
  const at = join(folder, versions.replace(' ', '-'));
  if (!existsSync(at)) {
    const unfinished = `${at}.${process.pid}`;
    try {
      await install(unfinished);
      await rename(unfinished, at);
    } catch (error) {
      // Another process may have installed them meanwhile.
      if (!existsSync(at)) return { missing: (error as Error).message };
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  }
  const driver = join(at, 'driver');
  const libraries = process.env.LD_LIBRARY_PATH;
  return {
    env: {
      [packagesVariable]: join(at, 'node_modules'),
      LD_LIBRARY_PATH: libraries ? `${libraries}:${driver}` : driver,
      EXP_SWIFTSHADER: join(driver, 'vk_swiftshader_icd.json'),
    },
  };
}

async function install(into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  await Bun.write(join(into, 'package.json'), '{}');
  const names = [`${packageName}@${packageVersion}`, `${chromium.name}@${chromium.version}`];
  const command = [process.execPath, 'add', '--ignore-scripts', ...names];
  const child = Bun.spawn(command, { cwd: into, stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' });
  const said = await child.stderr.text();
  if ((await child.exited) !== 0)
    throw new Error(`${command.slice(1).join(' ')}: ${said.trim().split('\n').at(-1)}`);
  const packed = join(into, 'node_modules', chromium.name, 'bin', 'swiftshader.tar.br');
  await new Bun.Archive(brotliDecompressSync(await Bun.file(packed).bytes())).extract(join(into, 'driver'));
  await rm(join(into, 'node_modules', chromium.name), { recursive: true });
}
