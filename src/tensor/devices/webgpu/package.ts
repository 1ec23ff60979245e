import { join } from 'node:path';

/** The optional package that carries Dawn, Chromium's WebGPU: 51 MB to fetch, so that it is installed by those only who want it. */
export const packageName = 'webgpu';

/** The version that was tried. It is in no lock file: `bun install` would fetch it for everybody then. */
export const packageVersion = '0.6.2';

export const install = `bun add --no-save ${packageName}@${packageVersion}`;

/** What is used of the package. */
export interface Dawn {
  /** WebGPU's entry; options choose the driver's interface (`backend=vulkan`) and the adapter (`adapter=<part of its name>`). */
  create(options: string[]): GPU;
  /** WebGPU's classes and constants, as a browser has them globally. */
  globals: Record<string, unknown>;
}

/** The variable that names a folder with packages, for a `webgpu` that is not the project's. */
export const packagesVariable = 'EXP_WEBGPU_PACKAGES';

/** The path of the package's entry, or undefined if it is not installed. */
export function findPackage(): string | undefined {
  const folder = process.env[packagesVariable];
  try {
    return Bun.resolveSync(folder ? join(folder, packageName) : packageName, import.meta.dir);
  } catch {
    return undefined;
  }
}

/** Loads Dawn. Throws if the package is not installed, or has no binary for this system. */
export async function loadDawn(): Promise<Dawn> {
  return (await import(findPackage() ?? packageName)) as Dawn;
}
