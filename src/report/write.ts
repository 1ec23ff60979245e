/** Tables to files. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafely } from '../base/files.ts';
import { renderers } from './renderers/registry.ts';
import type { Table } from './table.ts';
import type { View } from './view.ts';

/**
 * Writes each table in every format, e.g. `table-01.md`. Makes the
 * folder. Returns the files' paths. Throws an error with the remedy if the folder cannot be made.
 */
export async function writeTables(tables: Table[], outDir: string, view: View): Promise<string[]> {
  await mkdir(outDir, { recursive: true }).catch(({ message }: Error) => {
    throw new Error(`the tables cannot be written: ${message}; name another folder by --out`);
  });
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
