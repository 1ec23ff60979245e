/** `exp export <file> --runs runs.csv`: every number of the finished runs in a table of its own kind. */
import { dirname, resolve } from 'node:path';
import { asStorageError } from '../../base/file-errors.ts';
import { writeSafely } from '../../base/files.ts';
import { plural } from '../../base/plural.ts';
import { csvText } from '../../report/renderers/csv-text.ts';
import { type Request, requiredValue } from '../arguments.ts';
import { loadPlan, openStore } from '../option-values.ts';
import { checkFolder, printError } from '../output.ts';
import { collectResults, noneFinished } from '../results.ts';
import { UsageError } from '../usage.ts';
import { type Column, tidyColumns } from './tidy.ts';

/** The writers by the end of the file's name. */
const formats: Record<string, (columns: readonly Column[]) => string | Promise<Uint8Array>> = {
  csv: (columns) => {
    const rows = Array.from({ length: columns[0]?.values.length ?? 0 }, (_, i) =>
      columns.map(({ values }) => values[i]),
    );
    return csvText([columns.map(({ name }) => name), ...rows]);
  },
  parquet: async (columns) => {
    const { parquetWriteBuffer } = await import('hyparquet-writer');
    const columnData = columns.map(({ name, type, values }) => ({ name, type, data: [...values] }));
    return new Uint8Array(parquetWriteBuffer({ columnData }));
  },
};

/** Returns the exit code. */
export async function exportCommand(request: Request): Promise<number> {
  const path = resolve(requiredValue(request, 'runs'));
  const format = formats[path.split('.').at(-1) as string];
  if (!format)
    throw new UsageError(
      `--runs ${requiredValue(request, 'runs')} is neither CSV nor Parquet`,
      'e.g. --runs runs.csv',
    );
  const plan = await loadPlan(request);
  const store = openStore(request);
  checkFolder(dirname(path), '--runs');
  const { byRun } = await collectResults(plan, store, () => undefined);
  const columns = tidyColumns(plan, byRun);
  const rows = columns[0]?.values.length ?? 0;
  if (rows === 0) {
    printError(noneFinished(store, 'file'));
    return 1;
  }
  const content = await format(columns);
  try {
    await writeSafely(path, typeof content === 'string' ? content : [content]);
  } catch (error) {
    throw asStorageError(`${path} cannot be written`, error, '--runs');
  }
  const missing = [...byRun.values()].filter(({ status }) => status !== 'done').length;
  const without =
    missing > 0 ? `, without ${plural(missing, 'run')} that ${missing > 1 ? 'have' : 'has'} no result` : '';
  printError(`${plural(rows, 'row')} written to ${path}${without}`);
  return 0;
}
