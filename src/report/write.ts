/** Tables to files. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asStorageError } from '../base/file-errors.ts';
import { removeLeftovers, writeSafely } from '../base/files.ts';
import { renderers } from './renderers/registry.ts';
import type { Table } from './table.ts';

/**
 * Writes each table in every format, e.g. `table-01.md`. Makes the
 * folder. Returns the files' paths. Throws a StorageError if the system refuses.
 */
export async function writeTables(tables: Table[], outDir: string): Promise<string[]> {
  try {
    await mkdir(outDir, { recursive: true });
    return await writeAll(tables, outDir);
  } catch (error) {
    throw asStorageError(`the tables cannot be written to ${outDir}`, error, '--out');
  }
}

async function writeAll(tables: Table[], outDir: string): Promise<string[]> {
  await removeLeftovers(outDir, 'table-');
  const paths: string[] = [];
  for (const table of tables) {
    for (const { extension, render } of renderers) {
      const name = `table-${String(table.id).padStart(2, '0')}.${extension}`;
      const path = join(outDir, name);
      await writeSafely(path, render(table));
      paths.push(path);
    }
  }
  return paths;
}
