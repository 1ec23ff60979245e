/** The one way in which a file is written: under a temporary name, to the disk, then renamed. A reader sees all of it or none. */
import { open, readFile, rename, rm } from 'node:fs/promises';

/** Ends the names of unfinished files; what a killed writer left can be told by it. */
export const temporaryEnding = '.tmp';

/**
 * Makes or replaces the file at `path` by what `write` puts at the temporary path that it is given. Where that fails, nothing is left behind,
 * an earlier file stays as it was, and the error is thrown on.
 */
export async function replaceFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}${temporaryEnding}`;
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

/** A file that is no file of its format: cut short, overwritten, or another one. The message names it. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';

  constructor(
    readonly path: string,
    problem: string,
  ) {
    super(`${path}: ${problem}`);
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

/** Whether the system refused something: no permission, no space, a file in a folder's place. */
export const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && 'syscall' in error;

/** What to do about a refusal to write; `option` is what names another place. */
export function remedyOf({ code }: NodeJS.ErrnoException, option: string): string {
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return `${full ? 'Free some space' : 'Make it writable'}, or name another folder by ${option}.`;
}
