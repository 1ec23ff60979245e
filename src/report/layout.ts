/** From a table to the sheet that renderings print: what is shown of it, in which texts, what is bold. */
import { bestCells, blockOf, shadeOf } from './best.ts';
import { formatDifference, formatInterval, formatMean, formatMeasured } from './format.ts';
import type { Kind, Leaf, Sheet, SheetCell, SheetRow } from './sheet.ts';
import { type Cell, type Column, difference, type Row, type Status, type Table } from './table.ts';
import type { View } from './view.ts';

/** How a cell stands to the paper's number, in one character. */
export const marks: Readonly<Partial<Record<Status, string>>> = {
  equivalent: '=',
  different: '≠',
  inconclusive: '?',
  failed: '×',
};

interface Shown {
  columns: Column[];
  rows: Row[];
  cells: Map<string, Cell>;
}

const keyOf = (row: string, column: string) => JSON.stringify([row, column]);

/** The rows and columns that have a run, or all that have any number. */
function select(table: Table, all: boolean): Shown {
  const cells = new Map(table.cells.map((cell) => [keyOf(cell.row, cell.column), cell]));
  if (table.id === null) return { columns: table.columns, rows: table.rows, cells };
  if (all) {
    const known = new Set(
      table.cells.flatMap(({ row, measured, paper }) => (measured || paper ? [row] : [])),
    );
    return { columns: table.columns, rows: table.rows.filter(({ key }) => known.has(key)), cells };
  }
  const withRuns = new Set(table.columnGroups.flatMap(({ key, hasRuns }) => (hasRuns ? [key] : [])));
  const ofRuns = table.columns.filter(({ group }) => withRuns.has(group));
  const measured = table.cells.some((cell) => cell.measured);
  // Before anything is finished, nobody knows which places its runs fill.
  const filled = table.cells.filter(
    (cell) => cell.measured || cell.status === 'failed' || (!measured && cell.pending),
  );
  const [rows, columns] = [
    new Set(filled.map(({ row }) => row)),
    new Set(filled.map(({ column }) => column)),
  ];
  return {
    columns: ofRuns.filter(({ key }) => columns.has(key)),
    rows: table.rows.filter(({ key }) => rows.has(key)),
    cells,
  };
}

/** A pivot, of which the paper has nothing, has our numbers only. */
export function resolveView({ id, view: own }: Table, given: View): Required<View> {
  const { layout = 'side-by-side', all = false } = { ...own, ...given };
  return { layout: id === null ? 'ours' : layout, all };
}

/** Lays a table out. */
export function layOut(table: Table, view: View): Sheet {
  const { layout, all } = resolveView(table, view);
  const { columns, rows, cells } = select(table, all);
  const kinds: Kind[] = layout === 'side-by-side' ? ['ours', 'paper'] : [layout];
  const shown = rows.flatMap((row) => columns.map((column) => cells.get(keyOf(row.key, column.key)) as Cell));
  const best = { ours: bestCells(table, shown, 'measured'), paper: bestCells(table, shown, 'paper') };
  const shades = table.id === null ? shadeOf(table, shown) : new Map<Cell, number>();
  const titles = new Map(table.columnGroups.map(({ key, title }) => [key, title]));
  // A level of headings that names nothing is left out.
  const ofOneColumn =
    table.id !== null &&
    [...Map.groupBy(table.columns, ({ group }) => group).values()].every(({ length }) => length === 1);
  const ofOneGroup = table.columnGroups.length === 1 && table.columnGroups[0]?.title === '';
  const leaves = columns.flatMap(({ key, title, group }) =>
    kinds.map((kind): Leaf => {
      const levels: [key: string, heading: string][] = [
        ...(ofOneGroup ? [] : [[group, titles.get(group) ?? ''] as [string, string]]),
        ...(ofOneColumn && !ofOneGroup ? [] : [[key, title] as [string, string]]),
        ...(kinds.length > 1 ? [[kind, kind] as [string, string]] : []),
      ];
      return { keys: levels.map(([key]) => key), headings: levels.map(([, heading]) => heading) };
    }),
  );
  const blocks: SheetRow[][] = [];
  let last: string | undefined;
  for (const row of rows) {
    const block = blockOf(table, row);
    if (block !== last) blocks.push([]);
    last = block;
    const ofRow = columns.flatMap((column) => {
      const cell = cells.get(keyOf(row.key, column.key)) as Cell;
      return kinds.map((kind) => sheetCell(cell, kind, table, best, shades.get(cell) ?? null));
    });
    blocks.at(-1)?.push({ titles: row.titles, cells: ofRow });
  }
  return { stub: table.stub, leaves, blocks };
}

function sheetCell(
  cell: Cell,
  kind: Kind,
  table: Table,
  best: { ours: Set<Cell>; paper: Set<Cell> },
  shade: number | null,
): SheetCell {
  const { decimals } = table;
  const { measured, paper, status } = cell;
  const mark = kind === 'paper' ? '' : (marks[status] ?? '');
  const common = { kind, mark, status, shade: kind === 'paper' ? null : shade };
  if (kind === 'paper') {
    return {
      ...common,
      text: formatMean(paper, decimals),
      best: best.paper.has(cell),
      grey: measured === null,
    };
  }
  if (measured === null) {
    const text = status === 'failed' ? 'failed' : cell.pending ? 'not run' : '–';
    return { ...common, mark: '', text, best: false, grey: status !== 'failed' };
  }
  const text = kind === 'ours' ? formatMeasured(measured, decimals) : differenceText(cell, decimals);
  return { ...common, text, best: kind === 'ours' && best.ours.has(cell), grey: false };
}

/** Ours less the paper's, with its interval where there is one. */
function differenceText(cell: Cell, decimals: number): string {
  const found = difference(cell);
  if (found === null) return '–';
  const ends = cell.difference ? [formatInterval(cell.difference, decimals)] : [];
  return [formatDifference(found, decimals), ...ends].join(' ');
}
