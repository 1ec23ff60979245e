/** Tables to files. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asStorageError } from '../base/file-errors.ts';
import { removeLeftovers, writeSafely } from '../base/files.ts';
import { renderers } from './renderers/registry.ts';
import type { Table } from './table.ts';
import type { View } from './view.ts';

/**
 * Writes each table in every format, e.g. `table-01.md`. Makes the
 * folder. Returns the files' paths. Throws a StorageError if the system refuses.
 */
export async function writeTables(tables: Table[], outDir: string, view: View): Promise<string[]> {
  try {
    await mkdir(outDir, { recursive: true });
    return await writeAll(tables, outDir, view);
  } catch (error) {
    throw asStorageError(`the tables cannot be written to ${outDir}`, error, '--out');
  }
}

async function writeAll(tables: Table[], outDir: string, view: View): Promise<string[]> {
  await removeLeftovers(outDir);
  const paths: string[] = [];
  for (const table of tables) {
    for (const { extension, render } of renderers) {
      const text = render(table, view);
      if (text === null) continue;
      const path = join(outDir, `${table.key}.${extension}`);
      await writeSafely(path, text);
      paths.push(path);
    }
  }
  return paths;
}
