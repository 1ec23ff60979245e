/** The kernels in C, compiled for this machine by its compiler and kept in the cache. */
import { rm } from 'node:fs/promises';
import { arch, cpus } from 'node:os';
import { basename, join } from 'node:path';
import { kernelSources, kernelsFolder } from '../../kernels/sources.ts';
import { cacheFolder, compileOnce, run } from '../compile.ts';

/**
 * Numbers that are not finite go through unharmed and sums keep their order: of the flags that loosen arithmetic these are
 * only those that forget errno and traps, and the one that contracts a product and a sum to one operation.
 */
const flags = [
  ...['-std=gnu11', '-O3', arch() === 'arm64' ? '-mcpu=native' : '-march=native'],
  ...['-fno-math-errno', '-fno-trapping-math', '-ffp-contract=fast'],
  ...['-fPIC', '-fvisibility=hidden', '-pthread'],
];

/**
 * The path of the library for this machine, compiled now if it is not in `folder` yet. Several processes may do this at once.
 * Throws a BuildError if the compiler fails or the folder cannot be written.
 */
export async function build(compiler: string, folder = cacheFolder()): Promise<string> {
  const files = [...(await kernelSources()), join(import.meta.dir, 'threads.c')];
  const path = join(folder, `${await buildKey(compiler, flags, files)}.so`);
  return await compileOnce(path, { compiler, product: 'compiled kernels' }, async (temporary) => {
    const compile = (...rest: string[]) => run([compiler, ...flags, `-I${kernelsFolder}`, ...rest], folder);
    const sources = files.filter((file) => file.endsWith('.c'));
    // All at once: the system divides its processors among them.
    const objects = sources.map((file) => `${temporary}.${basename(file)}.o`);
    const compiled = await Promise.all(
      sources.map((file, i) => compile('-c', file, '-o', objects[i] as string)),
    );
    const failed = compiled.find(({ code }) => code !== 0);
    const result =
      failed ?? (await run([compiler, '-shared', '-pthread', ...objects, '-o', temporary, '-lm'], folder));
    await Promise.all(objects.map((object) => rm(object, { force: true })));
    return result;
  });
}

/** What tells a compilation for this very CPU from any other: 32 hex digits of a hash of all that it is made of. */
export async function buildKey(
  compiler: string,
  flags: readonly string[],
  files: readonly string[],
): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256');
  const { output } = await run([compiler, '--version'], kernelsFolder);
  hash.update(JSON.stringify([flags, compiler, output, await cpu()]));
  for (const file of files) hash.update(await Bun.file(file).bytes());
  return hash.digest('hex').slice(0, 32);
}

/** What the flags for this very CPU depend on: its model, and the features that the system reports. */
async function cpu(): Promise<string> {
  const model = cpus()[0]?.model ?? '';
  const info = Bun.file('/proc/cpuinfo');
  if (!(await info.exists())) return model;
  return model + (/^(?:flags|Features)\s*:.*$/m.exec(await info.text())?.[0] ?? '');
}
