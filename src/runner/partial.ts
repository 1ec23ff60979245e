/**
 * Where a stage is computed: `<key>.partial/<name>/`, with a new name for everyone who begins or resumes it. Work is taken over by renaming its
 * folder: a process that lost the lease, since it was paused or its network failed, then has no folder to write to or to publish.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '../base/file-errors.ts';
import { temporaryPath } from '../base/files.ts';

export const partialEnding = '.partial';

const prefix = 'work-';

const lookAgainMs = 50;

/** Gives the work in the folder `partial` a new name, or begins it. Needs the stage's lease. */
export async function takeWork(partial: string): Promise<{ dir: string; resumed: boolean }> {
  const name = `${prefix}${crypto.randomUUID()}`;
  const dir = join(partial, name);
  for (;;) {
    const names = existsSync(partial) ? await readdir(partial) : [];
    const work = names.find((one) => one.startsWith(prefix));
    try {
      if (work !== undefined) await rename(join(partial, work), dir);
      else if (names.length > 0) await adopt(partial, names, dir);
      else await create(partial, name);
      return { dir, resumed: names.length > 0 };
    } catch (error) {
      // A process that has just lost the lease did the same.
      if (!isSystemError(error) || !['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error;
      await Bun.sleep(lookAgainMs);
    }
  }
}

/** Earlier versions worked in `partial` itself. */
async function adopt(partial: string, names: readonly string[], dir: string): Promise<void> {
  await mkdir(dir);
  for (const name of names) await rename(join(partial, name), join(dir, name));
}

/** Makes `partial` with a folder of that name in it, unless there is work in it already. */
async function create(partial: string, name: string): Promise<void> {
  const own = temporaryPath(partial);
  await mkdir(join(own, name), { recursive: true });
  try {
    await rename(own, partial);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    throw error;
  }
}
