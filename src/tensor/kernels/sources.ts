/** The kernels in C, which the devices native and wasm compile with threads of their own. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder of the kernels and their headers. */
export const kernelsFolder = import.meta.dir;

/** Paths of the C files and headers, by name. */
export async function kernelSources(): Promise<string[]> {
  const names = (await readdir(kernelsFolder)).filter((name) => /\.[ch]$/.test(name)).sort();
  return names.map((name) => join(kernelsFolder, name));
}
