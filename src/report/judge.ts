/** What the numbers of one group of a table say of the paper's claims, and the differences that are shown beside. */
import { describeContrast, judgeOrder, type Pair } from './claims.ts';
import type { ContrastDefinition, TableDefinition } from './definition.ts';
import type { RunGroup } from './groups.ts';
import { contrast, type Statistic } from './statistics/statistic.ts';
import { type Cell, type Claim, rowTitle } from './table.ts';

/** A filled place of a table, and the number in it with what is known of its uncertainty. */
export interface Filled {
  cell: Cell;
  statistic: Statistic | null;
}

/** The key of a column in one group of a table. */
export const columnKey = (group: { key: string }, column: { key: string }): string =>
  `${group.key}/${column.key}`;

/** The pairs of places that a claim, or a difference that is shown, compares in one group. */
function pairsOf(
  { columns, rows }: TableDefinition,
  group: RunGroup,
  places: readonly Filled[],
  { of, above, below, in: wanted }: ContrastDefinition,
): Pair[] {
  const across = {
    columns: rows.map((row) => ({ key: row.key, title: rowTitle(row) })),
    rows: columns.map(({ key, title }) => ({ key, title })),
  };
  const find = (first: string, second: string) => {
    const [row, column] = of === 'columns' ? [second, first] : [first, second];
    const key = columnKey(group, { key: column });
    return places.find(({ cell }) => cell.row === row && cell.column === key)?.statistic ?? null;
  };
  return across[of]
    .filter(({ key }) => wanted?.includes(key) ?? true)
    .map(({ key, title }) => ({ title, above: find(above, key), below: find(below, key) }));
}

/** The table's claims on the numbers of one group. */
export function judgeGroup(
  definition: TableDefinition,
  group: RunGroup,
  places: readonly Filled[],
  lead: string,
): Claim[] {
  const { claims, decimals, margin, bounds } = definition;
  const [run] = group.runs;
  const scale = {
    ...{ decimals, margin: margin.size },
    ...{ chance: (run && bounds?.chance(run)) ?? null, ceiling: bounds?.ceiling ?? null },
  };
  return claims.map((order) =>
    judgeOrder(`${lead}${order.text}`, pairsOf(definition, group, places, order), order, scale),
  );
}

/** The differences that are shown without a claim, a sentence each. */
export function describeContrasts(
  definition: TableDefinition,
  group: RunGroup,
  places: readonly Filled[],
  lead: string,
): string[] {
  return (definition.contrasts ?? []).flatMap((shown) => {
    const found = pairsOf(definition, group, places, shown).flatMap(({ title, above, below }) =>
      above && below ? [`${title} ${describeContrast(contrast(above, below), definition.decimals)}`] : [],
    );
    return found.length > 0 ? [`${lead}${shown.text}: ${found.join(', ')}.`] : [];
  });
}
