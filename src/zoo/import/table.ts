/** A table of results beside a zoo: a CSV file with a header, a row for each checkpoint or for each model. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { FormatError } from '../../base/source.ts';
import type { DraftEntry } from './draft.ts';
import { entryKeys } from './list.ts';
import { bySurety, isTakenForTest, measuredBy } from './names.ts';

type Row = Partial<DraftEntry>;
type Columns = readonly (readonly [column: string, name: string | undefined])[];

/** Reads a table: file or model (and epoch), and what was measured; other columns are left. Throws a FormatError naming file and line. */
export function readTable(path: string): Table {
  const records = readRecords(path);
  const columns = columnsOf(Object.keys(records[0] ?? {}));
  if (!columns.some(([, name]) => name === 'file' || name === 'model'))
    throw new FormatError(
      `${path}: expected a column file or model, found ${columns.map(([column]) => column).join(', ') || 'nothing'}`,
    );
  // The header is line 1.
  return new Table(
    path,
    records.map((record, i) => toRow(record, columns, `${path}:${i + 2}`)),
    columns.flatMap(([column, name]) => (name !== undefined && isTakenForTest(column) ? [column] : [])),
  );
}

function readRecords(path: string): Record<string, string>[] {
  try {
    return parse(readFileSync(path), { columns: true, trim: true, bom: true, skip_empty_lines: true });
  } catch (error) {
    throw new FormatError(`${path}: ${(error as Error).message}`);
  }
}

/** The columns with what they hold; of several that may be the same number, the surest alone. */
function columnsOf(names: readonly string[]): Columns {
  const surest = names.toSorted(bySurety);
  return names.map((column) => {
    const measure = measuredBy(column);
    const isSurest = column === surest.find((other) => measuredBy(other) === measure);
    return [column, measure === undefined || isSurest ? nameOf(column) : undefined];
  });
}

/** What a column holds, by the names of a list's entries; undefined of others. */
function nameOf(column: string): string | undefined {
  const plain = column.toLowerCase();
  if (plain === 'path' || plain === 'checkpoint') return 'file';
  return entryKeys.includes(plain) ? plain : measuredBy(column);
}

function toRow(record: Record<string, string>, columns: Columns, where: string): Row {
  const row: Record<string, string | number> = {};
  for (const [column, name] of columns) {
    const text = record[column] ?? '';
    if (name === undefined || text === '') continue;
    const isText = name === 'file' || name === 'model' || name === 'split';
    if (!isText && !Number.isFinite(Number(text)))
      throw new FormatError(`${where}: ${column} ${text} is no number`);
    row[name] = isText ? text : Number(text);
  }
  return row;
}

export class Table {
  private readonly byFile = new Map<string, Row[]>();
  private readonly byModel = new Map<string, Row[]>();
  private used = false;

  constructor(
    private readonly path: string,
    private readonly rows: readonly Row[],
    /** Columns that are taken for measures of the test images without saying so. */
    readonly takenForTest: readonly string[],
  ) {
    const add = (to: Map<string, Row[]>, name: string, row: Row) =>
      to.set(name, [...(to.get(name) ?? []), row]);
    for (const row of rows) {
      if (row.file !== undefined) add(this.byFile, join(row.file), row);
      else if (row.model !== undefined) add(this.byModel, row.model, row);
    }
  }

  /** What the table has of a checkpoint: by its file or folder, or else by its model, and by its epoch where the row has one. */
  of({ file, model, epoch }: DraftEntry): Row {
    const ofFile = this.byFile.get(file) ?? this.byFile.get(dirname(file));
    const ofModel = this.byModel.get(model) ?? this.byModel.get(basename(model));
    const ofEpoch = (ofFile ?? ofModel)?.find((row) => (row.epoch ?? epoch) === epoch);
    // The only row of a file says its epoch.
    const found = ofFile?.length === 1 ? ofFile[0] : ofEpoch;
    if (!found) return {};
    this.used = true;
    const { file: _, ...row } = found;
    return ofFile ? row : { ...row, model };
  }

  /** Throws a FormatError if no checkpoint had a row: then names differ, as `one`'s do. */
  checkUsed({ file, model, epoch }: DraftEntry): void {
    if (this.used) return;
    const shown = JSON.stringify(this.rows[0] ?? {});
    throw new FormatError(
      `${this.path}: no row is of a checkpoint: its first is ${shown}, a checkpoint is file ${file}, model ${model}, epoch ${epoch}`,
    );
  }
}
