/** What renderings print: labels of the rows, columns of numbers under headings that span them, blocks of rows. */
import type { Status } from './table.ts';

/** What a column of a sheet holds of a column of the table. */
export type Kind = 'ours' | 'paper' | 'difference';

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
