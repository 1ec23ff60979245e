/** Tables of the paper as experiments wrote them. */
import { readJson } from '../base/files.ts';
import type { Table } from '../report/table.ts';
import { UsageError } from './usage.ts';

/** Throws a UsageError where the file is none. */
export async function readTable(path: string): Promise<Table> {
  const table = (await readJson(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`, 'a table-NN.json that exp wrote');
  })) as Partial<Table> | null;
  if (table?.id && table.cells && table.rows && table.columns) return table as Table;
  throw new UsageError(`${path} is no table of the paper`, 'a table-NN.json that exp wrote');
}
