/** `exp radar <table.json>... --out <folder>`: the paper's figure 1 of tables of several experiments. */
import { readJson } from '../../base/files.ts';
import type { FigureFormat } from '../../report/figures/formats.ts';
import { drawRadar } from '../../report/figures/radar.ts';
import { writeFigures } from '../../report/figures/write.ts';
import type { Table } from '../../report/table.ts';
import { optionValue, type Request, requiredValue } from '../arguments.ts';
import { checkFolder, print } from '../output.ts';
import { UsageError } from '../usage.ts';

/** Returns the exit code. */
export async function radarCommand(request: Request): Promise<number> {
  const out = requiredValue(request, 'out');
  checkFolder(out, '--out');
  const tables: Table[] = [];
  for (const path of request.positionals) tables.push(await readTable(path));
  const figure = drawRadar(tables);
  if (figure === null)
    throw new UsageError(
      'these tables fill fewer than three axes of the radar',
      'name table-01.json to table-04.json of experiments that were run',
    );
  const format = (optionValue(request, 'format') ?? 'svg') as FigureFormat;
  for (const path of await writeFigures([figure], out, format)) print(path);
  return 0;
}

async function readTable(path: string): Promise<Table> {
  const table = (await readJson(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`, 'a table-NN.json that exp wrote');
  })) as Partial<Table> | null;
  if (table?.id && table.cells && table.rows && table.columns) return table as Table;
  throw new UsageError(`${path} is no table of the paper`, 'a table-NN.json that exp wrote');
}
