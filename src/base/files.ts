/** The one way in which a file is written: under a temporary name, to the disk, then renamed. A reader sees all of it or none. */
import { open, rename, rm } from 'node:fs/promises';

/** Ends the names of unfinished files; what a killed writer left is recognised by it. */
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
