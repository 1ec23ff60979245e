/** The one way in which a file is written: under a temporary name, to the disk, then renamed. A reader sees all of it or none. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UnreadableFile } from './file-errors.ts';
import { isGone, processTag, processTagPattern } from './processes.ts';

/** Ends the names of unfinished files; what a killed writer left is recognised by it. */
export const temporaryEnding = '.tmp';

/** Counts the files that this process has begun: it may write the same one twice at once. A later process of the same number counts on. */
let begun = Date.now();

/** A name beside `path` for what is not finished, which no other process on any machine uses. */
export const temporaryPath = (path: string): string => `${path}.${processTag()}-${++begun}${temporaryEnding}`;

/**
 * Makes or replaces the file at `path` by what `write` puts at the temporary path that it is given. Where that fails, nothing is left behind,
 * an earlier file stays as it was, and the error is thrown on.
 */
export async function replaceFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryPath(path);
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes or replaces the file at `path` by a text, or by bytes in parts; they are on the disk when this returns. */
export function writeSafely(path: string, content: string | Iterable<Uint8Array>): Promise<void> {
  return replaceFile(path, async (temporary) => {
    const file = await open(temporary, 'w');
    try {
      for (const part of typeof content === 'string' ? [Buffer.from(content)] : content)
        for (let at = 0; at < part.length; ) at += (await file.write(part, at)).bytesWritten;
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/** Makes or replaces the file at `path` by a value as JSON, one line for each of its members. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeSafely(path, `${JSON.stringify(value, undefined, 1)}\n`);
}

/** Makes a folder, unless it is there, in one that has to be there: a process whose work was taken over makes no other. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path).catch((error) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** The process in an unfinished file's name; what a compiler adds to it for a file of its own may follow. */
const unfinished = new RegExp(`\\.${processTagPattern}-\\d+\\.tmp(\\.[\\w-]+\\.c\\.o)?$`);

/**
 * Removes the unfinished files in a folder whose writers, processes of this machine, are gone. `pattern` has the writer's tag in names of another
 * kind. A folder that is not there has none. What may not be removed stays: it is in nobody's way.
 */
export async function removeLeftovers(folder: string, pattern: RegExp = unfinished): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const tag = pattern.exec(name)?.[1];
    if (!tag || !isGone(tag)) continue;
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** The value in a JSON file. Throws an UnreadableFile if it holds none. */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(path, await readFile(path, 'utf8'));
}

/** The value of a JSON text out of the file at `path`. Throws an UnreadableFile if it is none. */
export function parseJson(path: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (error) {
    throw new UnreadableFile(path, `damaged: ${(error as Error).message}`);
  }
}
