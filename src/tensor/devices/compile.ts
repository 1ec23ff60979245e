/** What devices that compile something share: the compiler, the cache, and a file that is made once. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isSystemError } from '../../base/file-errors.ts';
import { removeLeftovers, replaceFile } from '../../base/files.ts';

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
 * `path`, made now if it is not there: `compile` writes it under the name that it is given, which becomes `path` when all of it
 * is there. Throws a BuildError if the compiler fails, whose messages are then in a file beside it, or if the folder, for
 * `product`, cannot be written.
 */
export async function compileOnce(
  path: string,
  { compiler, product }: { compiler: string; product: string },
  compile: (temporary: string) => Promise<{ code: number; output: string }>,
): Promise<string> {
  if (existsSync(path)) return path;
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder);
    await replaceFile(path, async (temporary) => {
      const { code, output } = await compile(temporary);
      if (code === 0) return;
      const log = path.replace(/\.\w+$/, '.log');
      await Bun.write(log, output);
      const first = output.split('\n').find((line) => line.includes('error')) ?? output.split('\n')[0];
      throw new BuildError(
        `${compiler} failed with exit code ${code}: ${first}. Its whole message is in ${log}.`,
      );
    });
    return path;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new BuildError(
      `The folder for ${product}, ${folder}, cannot be written: ${error.message}. Set XDG_CACHE_HOME to one that can.`,
    );
  }
}

/** Runs a compiler in a folder. */
export async function run(command: string[], cwd: string): Promise<{ code: number; output: string }> {
  const child = Bun.spawn(command, { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, output: stdout + stderr };
}
