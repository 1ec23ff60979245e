/** The paper's numbers: results/paper/table-NN.json, one file for each of its 17 tables. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Published } from './table.ts';

/** What a row, a column or a record stands for, e.g. `{feature: 'sane', target: 'epoch'}`. */
export type Labels = Record<string, string | number | boolean>;

/** One cell of a table of the paper. */
export interface PaperCell {
  row: Labels;
  column: Labels;
  /** Null where the paper has no single number; the note says why. */
  mean: number | null;
  sd: number | null;
  /** How many models the ± is over, where the paper says it. */
  n?: number;
  /** Printed with `~`. */
  approximate?: true;
  /** The numbers of a cell that lists several. */
  values?: number[];
  note?: string;
}

/** A table of the paper, as schemas/paper-table.schema.json describes it. */
export interface PaperTable {
  table: number;
  title: string;
  caption: string;
  unit: string;
  /** What the paper's ± is over; null where the table has none. */
  spread: string | null;
  cells: PaperCell[];
}

const folder = join(import.meta.dir, '..', '..', 'results', 'paper');

/** Table `id` (1 to 17) of the paper. Throws where there is no such file. */
export function readPaperTable(id: number): PaperTable {
  const path = join(folder, `table-${String(id).padStart(2, '0')}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as PaperTable;
}

/** Whether both have the same labels with the same values. */
export function sameLabels(a: Labels, b: Labels): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** The paper's number in the cell of exactly these labels; null where the paper has none. */
export function paperValue(table: PaperTable, row: Labels, column: Labels): Published | null {
  const cell = table.cells.find((cell) => sameLabels(cell.row, row) && sameLabels(cell.column, column));
  return cell === undefined || cell.mean === null
    ? null
    : { mean: cell.mean, sd: cell.sd, n: cell.n ?? null };
}
