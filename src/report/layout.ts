/** The table as renderings lay it out: labels of the rows, columns of numbers under headings that span them, blocks of rows. */
import { bestCells, blockOf, shadeOf } from './best.ts';
import { describeCondition, summarizeConditions } from './conditions.ts';
import { formatDifference, formatMean } from './format.ts';
import { type Cell, type Column, difference, type Row, rowTitle, type Status, type Table } from './table.ts';
import type { View } from './view.ts';

/** What a column of a sheet holds of a column of the table. */
type Kind = 'ours' | 'paper' | 'difference';

export interface SheetCell {
  text: string;
  kind: Kind;
  best: boolean;
  /** Shown in grey: nothing was measured. */
  grey: boolean;
  /** A character that says how ours stands to the paper's, where it was measured under its conditions, or that runs failed. */
  mark: string;
  status: Status;
  /** From 0 to 1 within its block, in pivots; null: not coloured. */
  shade: number | null;
}

export interface SheetRow {
  titles: readonly string[];
  cells: SheetCell[];
}

/** Headings of one column of numbers, from the top; keys tell equal headings of different columns apart. */
export interface Leaf {
  keys: readonly string[];
  headings: readonly string[];
}

export interface Span {
  title: string;
  /** How many columns of numbers it is over. */
  columns: number;
}

export interface Sheet {
  stub: readonly string[];
  leaves: Leaf[];
  blocks: SheetRow[][];
}

export const marks: Readonly<Partial<Record<Status, string>>> = {
  reproduced: '=',
  differs: '≠',
  failed: '×',
};

interface Shown {
  columns: Column[];
  rows: Row[];
  cells: Map<string, Cell>;
}

const place = (row: string, column: string) => JSON.stringify([row, column]);

/** The rows and columns that have a run, or all of them. */
function select(table: Table, all: boolean): Shown {
  const cells = new Map(table.cells.map((cell) => [place(cell.row, cell.column), cell]));
  if (all || table.id === null) return { columns: table.columns, rows: table.rows, cells };
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
function resolve({ id, view: own }: Table, given: View): Required<View> {
  const { layout = 'side-by-side', all = false } = { ...own, ...given };
  return { layout: id === null ? 'ours' : layout, all };
}

/** Lays a table out. */
export function layOut(table: Table, view: View): Sheet {
  const { layout, all } = resolve(table, view);
  const { columns, rows, cells } = select(table, all);
  const kinds: Kind[] = layout === 'side-by-side' ? ['ours', 'paper'] : [layout];
  const shown = rows.flatMap((row) => columns.map((column) => cells.get(place(row.key, column.key)) as Cell));
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
      const cell = cells.get(place(row.key, column.key)) as Cell;
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
  const diff = difference(cell);
  const text =
    kind === 'ours' ? formatMean(measured, decimals) : diff === null ? '–' : formatDifference(diff, decimals);
  return { ...common, text, best: kind === 'ours' && best.ours.has(cell), grey: false };
}

/** The headings over some columns of a sheet, level by level: equal neighbours are one. */
export function spansOf(leaves: readonly Leaf[]): Span[][] {
  const levels = Math.max(0, ...leaves.map(({ keys }) => keys.length));
  return Array.from({ length: levels }, (_, level) => {
    const spans: Span[] = [];
    leaves.forEach(({ keys, headings }, i) => {
      const before = leaves[i - 1]?.keys;
      const same = before && keys.slice(0, level + 1).every((key, k) => key === before[k]);
      if (same) (spans.at(-1) as Span).columns++;
      else spans.push({ title: headings[level] as string, columns: 1 });
    });
    return spans;
  });
}

/**
 * Cuts a sheet between columns of the table, in parts that all have the rows' titles. `width` gives how wide columns are; a part is as wide as `room`, or a
 * single column.
 */
export function cut(sheet: Sheet, room: number, width: (column: number[]) => number): Sheet[] {
  const columns: number[][] = [];
  sheet.leaves.forEach(({ keys }, i) => {
    const before = sheet.leaves[i - 1]?.keys;
    const isPaper = keys.at(-1) === 'paper' && keys.slice(0, -1).every((key, k) => key === before?.[k]);
    if (isPaper) columns.at(-1)?.push(i);
    else columns.push([i]);
  });
  const parts: number[][] = [];
  for (const column of columns) {
    const last = parts.at(-1);
    if (last && width([...last, ...column]) <= room) last.push(...column);
    else parts.push([...column]);
  }
  return parts.map((chosen) => ({
    stub: sheet.stub,
    leaves: chosen.map((i) => sheet.leaves[i] as Leaf),
    blocks: sheet.blocks.map((rows) =>
      rows.map(({ titles, cells }) => ({ titles, cells: chosen.map((i) => cells[i] as SheetCell) })),
    ),
  }));
}

/** Titles of a block's row, the first of several in the block's first row only. */
export const labelsIn = (block: readonly SheetRow[], i: number): string[] =>
  (block[i] as SheetRow).titles.map((title, k, { length }) => (k === 0 && i > 0 && length > 1 ? '' : title));

/** `Table 1. Property prediction …` */
export function heading({ id, title }: Table): string {
  return id === null ? title : `Table ${id}. ${title}`;
}

/** What stands directly under a table: marks that occur, failures, how it is scaled, what is left out. */
export function linesUnder(table: Table, view: View): string[] {
  const sheet = layOut(table, view);
  const occurring = new Set(
    sheet.blocks.flat().flatMap(({ cells }) => cells.flatMap(({ mark, status }) => (mark ? [status] : []))),
  );
  const legend = [...occurring].map((status) => `${marks[status]} ${status}`).join(', ');
  const { layout, all } = resolve(table, view);
  const hidden = all ? [] : table.columnGroups.filter(({ hasRuns }) => !hasRuns).map(({ title }) => title);
  return [
    ...(layout === 'difference' ? ["Each number is ours less the paper's."] : []),
    ...(legend ? [`${legend}.`] : []),
    ...cellNotes(table),
    ...(table.conditions.length > 0 ? [summarizeConditions(table.conditions)] : []),
    ...(hidden.length > 0 ? [`No runs here for: ${hidden.join(', ')}.`] : []),
  ];
}

/** e.g. `SANE (Ep): 1 of 3 runs failed: out of memory`, each note once; the columns and rows are left out where it is about a whole group. */
function cellNotes(table: Table): string[] {
  const { rows, cells, columns } = table;
  const noted = cells.filter(
    ({ note, measured, pending, status }) => note && (measured || pending || status === 'failed'),
  );
  return table.columnGroups.flatMap((group) => {
    const ofGroup = columns.filter((column) => column.group === group.key);
    const keys = new Set(ofGroup.map(({ key }) => key));
    const byNote = Map.groupBy(
      noted.filter(({ column }) => keys.has(column)),
      ({ note }) => note,
    );
    return [...byNote].map(([note, about]) => {
      const lead = table.columnGroups.filter(({ hasRuns }) => hasRuns).length > 1 ? `${group.title}: ` : '';
      if (about.length === ofGroup.length * rows.length) return `${lead}${note}`;
      const places = ofGroup.flatMap(({ key, title }) => {
        const those = about.filter(({ column }) => column === key);
        if (those.length === 0) return [];
        if (those.length === rows.length) return [title];
        const names = those.map(({ row }) => rowTitle(rows.find((one) => one.key === row) as Row));
        return [`${title} (${names.join(', ')})`];
      });
      return `${lead}${places.join(', ')}: ${note}`;
    });
  });
}

const verdicts = { true: 'holds', false: 'does not hold', null: 'not known' };

/** The claims as sentences. */
export function claimLines({ claims }: Table): string[] {
  return claims.map(({ text, holds, detail }) => `${text}: ${verdicts[`${holds}`]} (${detail})`);
}

/** The list at the end. */
export const conditionLines = ({ conditions }: Table): string[] => conditions.map(describeCondition);
