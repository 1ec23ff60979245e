/** Which numbers are printed in bold: the best of those that compete, as printed. */
import { formatNumber } from './format.ts';
import type { Cell, Table } from './table.ts';

/** Key of a row's block: rows with the same first of several titles. */
export const blockOf = ({ stub }: Pick<Table, 'stub'>, { titles }: { titles: readonly string[] }): string =>
  stub.length > 1 ? (titles[0] as string) : '';

/**
 * The cells whose number, measured or the paper's, is the best among those it competes with; ties as printed are all the best. A single number is
 * not the best of anything.
 */
export function bestCells(table: Table, cells: readonly Cell[], of: 'measured' | 'paper'): Set<Cell> {
  const { best, decimals } = table;
  const found = new Set<Cell>();
  if (!best) return found;
  const rows = new Map(table.rows.map((row) => [row.key, row]));
  const groups = new Map(table.columns.map(({ key, group }) => [key, group]));
  const contest = (cell: Cell): string => {
    const row = rows.get(cell.row);
    const block = row ? blockOf(table, row) : '';
    const keys = {
      columns: [cell.row, groups.get(cell.column)],
      rows: [cell.column],
      'block-rows': [block, cell.column],
      block: [block, groups.get(cell.column)],
    };
    return JSON.stringify(keys[best.among]);
  };
  const valued = cells.filter((cell) => cell[of] !== null && !rows.get(cell.row)?.unranked);
  const printed = (cell: Cell) => Number(formatNumber(cell[of]?.mean as number, decimals));
  for (const competing of Map.groupBy(valued, contest).values()) {
    if (competing.length < 2) continue;
    const numbers = competing.map(printed);
    const winner = best.is === 'highest' ? Math.max(...numbers) : Math.min(...numbers);
    competing.forEach((cell, i) => {
      if (numbers[i] === winner) found.add(cell);
    });
  }
  return found;
}

/** How good a measured number is among those of its block, from 0 (worst) to 1; null where there is no number or nothing to compare. */
export function shadeOf(table: Table, cells: readonly Cell[]): Map<Cell, number> {
  const rows = new Map(table.rows.map((row) => [row.key, row]));
  const measured = cells.filter((cell) => cell.measured !== null);
  const byBlock = Map.groupBy(measured, ({ row }) => blockOf(table, rows.get(row) ?? { titles: [''] }));
  const shades = new Map<Cell, number>();
  for (const block of byBlock.values()) {
    const means = block.map(({ measured }) => measured?.mean as number);
    const [low, high] = [Math.min(...means), Math.max(...means)];
    if (high === low) continue;
    block.forEach((cell, i) => {
      const share = ((means[i] as number) - low) / (high - low);
      shades.set(cell, table.best?.is === 'lowest' ? 1 - share : share);
    });
  }
  return shades;
}
