/** The table as text renderings lay it out: one block for each column group, three lines for each row. */
import { formatDifference, formatMean } from './format.ts';
import { type Cell, type Column, type ColumnGroup, difference, type Status, type Table } from './table.ts';

/** The text of one cell. */
export interface CellText {
  /** `failed` where a run failed and no other gave a number. */
  measured: string;
  paper: string;
  /** Empty where one of the two numbers is missing. */
  difference: string;
  status: Status;
}

export interface BlockRow {
  title: string;
  /** One for each column. */
  cells: CellText[];
}

export interface Block {
  title: string;
  hasRuns: boolean;
  columns: string[];
  rows: BlockRow[];
  /** The cells' notes, each once, with the cells it is about if those are not all. */
  notes: string[];
}

export function layOut(table: Table): Block[] {
  const columns = Map.groupBy(table.columns, ({ group }) => group);
  const cells = new Map(table.cells.map((cell) => [`${cell.row} ${cell.column}`, cell]));
  return table.columnGroups.map((group) => layOutGroup(group, columns.get(group.key) ?? [], cells, table));
}

function layOutGroup(group: ColumnGroup, columns: Column[], cells: Map<string, Cell>, table: Table): Block {
  const rows = table.rows.map((row) => ({
    title: row.title,
    cells: columns.map((column) => cells.get(`${row.key} ${column.key}`) as Cell),
  }));
  return {
    title: group.title,
    hasRuns: group.hasRuns,
    columns: columns.map(({ title }) => title),
    rows: rows.map(({ title, cells }) => ({ title, cells: cells.map((cell) => cellText(cell, table)) })),
    notes: collectNotes(rows, columns),
  };
}

function cellText(cell: Cell, { decimals }: Table): CellText {
  const diff = difference(cell);
  return {
    measured: cell.status === 'failed' && !cell.measured ? 'failed' : formatMean(cell.measured, decimals),
    paper: formatMean(cell.paper, decimals),
    difference: diff === null ? '' : formatDifference(diff, decimals),
    status: cell.status,
  };
}

/** e.g. `SANE (Ep): 1 of 3 runs failed: out of memory`; the columns and rows are left out where the note is about all. */
function collectNotes(rows: { title: string; cells: Cell[] }[], columns: Column[]): string[] {
  const notes = new Set(rows.flatMap(({ cells }) => cells.map(({ note }) => note)).filter(Boolean));
  return [...notes].map((note) => {
    const rowsOf = columns.map((_, i) => rows.filter(({ cells }) => cells[i]?.note === note));
    if (rowsOf.every(({ length }) => length === rows.length)) return note;
    const places = columns.flatMap(({ title }, i) => {
      const about = rowsOf[i] as typeof rows;
      if (about.length === 0) return [];
      return about.length === rows.length
        ? title
        : `${title} (${about.map(({ title }) => title).join(', ')})`;
    });
    return `${places.join(', ')}: ${note}`;
  });
}

/** `Table 1. Property prediction …` */
export function heading({ id, title }: Table): string {
  return `Table ${id}. ${title}`;
}

const verdicts = { true: 'holds', false: 'does not hold', null: 'not known' };

/** The claims as sentences. */
export function claimLines({ claims }: Table): string[] {
  return claims.map(({ text, holds, detail }) => `${text}: ${verdicts[`${holds}`]} (${detail})`);
}
