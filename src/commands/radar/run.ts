/** `exp radar <table.json>... --out <folder>`: the paper's figure 1 of tables of several experiments. */
import type { FigureFormat } from '../../report/figures/formats.ts';
import { drawRadar } from '../../report/figures/radar.ts';
import { writeFigures } from '../../report/figures/write.ts';
import type { Table } from '../../report/table.ts';
import { optionValue, type Request, requiredValue } from '../arguments.ts';
import { checkFolder, print } from '../output.ts';
import { UsageError } from '../usage.ts';
import { readTable } from '../written-table.ts';

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
