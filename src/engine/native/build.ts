/**
 * Compiles the C files of this folder to a shared library, once: it is kept in the user's cache under a name that depends on
 * the sources, the flags, the compiler and the CPU.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { arch, cpus, homedir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Numbers that are not finite go through unharmed and sums keep their order: of the flags that loosen arithmetic these are
 * only those that forget errno and traps, and the one that contracts a product and a sum to one operation.
 */
const flags = [
  ...['-std=gnu11', '-O3', arch() === 'arm64' ? '-mcpu=native' : '-march=native'],
  ...['-fno-math-errno', '-fno-trapping-math', '-ffp-contract=fast'],
  ...['-fPIC', '-fvisibility=hidden', '-pthread'],
];

/** The compilation failed; the message says where to read why. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
}

/** The path of the system's C compiler (or that of the first of other names), or undefined if none is on PATH. */
export function findCompiler(names: readonly string[] = ['cc', 'gcc', 'clang']): string | undefined {
  for (const name of names) {
    const path = Bun.which(name, { PATH: process.env.PATH ?? '' });
    if (path) return path;
  }
  return undefined;
}

/** Where libraries of a device are kept. */
export function cacheFolder(device = 'native'): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sane-experiments', device);
}

/**
 * The path of the library for this machine, compiled now if it is not in `folder` yet. Several processes may do this at once.
 * Throws a BuildError if the compiler fails or the folder cannot be written.
 */
export async function build(compiler: string, folder = cacheFolder()): Promise<string> {
  const names = (await readdir(import.meta.dir)).filter((name) => /\.[ch]$/.test(name)).sort();
  const path = join(folder, `${await keyOf(compiler, names)}.so`);
  return await compileOnce(path, { compiler, product: 'compiled kernels' }, async (temporary) => {
    const sources = names.filter((name) => name.endsWith('.c'));
    // All at once: the system divides its processors among them.
    const objects = sources.map((name) => `${temporary}.${name}.o`);
    const compiled = await Promise.all(
      sources.map((name, i) => run([compiler, ...flags, '-c', name, '-o', objects[i] as string])),
    );
    const failed = compiled.find(({ code }) => code !== 0);
    const result =
      failed ?? (await run([compiler, '-shared', '-pthread', ...objects, '-o', temporary, '-lm']));
    await Promise.all(objects.map((object) => rm(object, { force: true })));
    return result;
  });
}

/**
 * `path`, made now if it is not there: `compile` writes it under the name that it is given, which becomes `path` when all of it
 * is there. Throws a BuildError if the compiler fails, whose messages are then in a file beside it, or if the folder, for
 * `product`, cannot be made.
 */
export async function compileOnce(
  path: string,
  { compiler, product }: { compiler: string; product: string },
  compile: (temporary: string) => Promise<{ code: number; output: string }>,
): Promise<string> {
  if (existsSync(path)) return path;
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    throw new BuildError(
      `The folder for ${product} cannot be made: ${(error as Error).message}. Set XDG_CACHE_HOME to one that can.`,
    );
  }
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const { code, output } = await compile(temporary);
  if (code !== 0) {
    const log = path.replace(/\.\w+$/, '.log');
    await rm(temporary, { force: true });
    await Bun.write(log, output);
    const first = output.split('\n').find((line) => line.includes('error')) ?? output.split('\n')[0];
    throw new BuildError(
      `${compiler} failed with exit code ${code}: ${first}. Its whole message is in ${log}.`,
    );
  }
  await rename(temporary, path);
  return path;
}

async function keyOf(compiler: string, names: string[]): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256');
  const { output } = await run([compiler, '--version']);
  hash.update(JSON.stringify([flags, compiler, output, await cpu()]));
  for (const name of names) hash.update(await Bun.file(join(import.meta.dir, name)).bytes());
  return hash.digest('hex').slice(0, 32);
}

/** What the flags for this very CPU depend on: its model, and the features that the system reports. */
async function cpu(): Promise<string> {
  const model = cpus()[0]?.model ?? '';
  const info = Bun.file('/proc/cpuinfo');
  if (!(await info.exists())) return model;
  return model + (/^(?:flags|Features)\s*:.*$/m.exec(await info.text())?.[0] ?? '');
}

/** Runs a compiler in this folder, or another. */
export async function run(
  command: string[],
  cwd = import.meta.dir,
): Promise<{ code: number; output: string }> {
  const child = Bun.spawn(command, { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, output: stdout + stderr };
}
