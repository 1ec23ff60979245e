/** From a plan and the results of its runs to the tables of the paper. */
import type { Plan } from '../experiment/types.ts';
import { judgeOrder } from './claims.ts';
import type { TableDefinition } from './definition.ts';
import { groupRuns, type RunGroup } from './groups.ts';
import { measureCell, type RunResults } from './measure.ts';
import { type PaperTable, paperValue, readPaperTable } from './paper.ts';
import type { Cell, Table } from './table.ts';
import { tableDefinitions } from './tables/registry.ts';

/**
 * The plan's tables in the paper's layout, each measured number beside the paper's. `results` by run id.
 * Throws if the plan names a table that has no definition.
 */
export function buildTables(plan: Plan, results: RunResults): Table[] {
  return definitionsOf(plan).map((definition) =>
    buildTable(definition, readPaperTable(definition.id), groupRuns(definition, plan.runs), results),
  );
}

/** The tables that a plan names or, if it names none, that a run of it belongs in. Throws if one has no definition. */
export function definitionsOf({ tables, runs }: Plan): TableDefinition[] {
  if (tables === null) return tableDefinitions.filter(({ accepts }) => runs.some(accepts));
  return tables.map((id) => {
    const definition = tableDefinitions.find((definition) => definition.id === id);
    if (!definition) throw new Error(`Table ${id} has no definition in src/report/tables.`);
    return definition;
  });
}

function buildTable(
  definition: TableDefinition,
  paper: PaperTable,
  groups: RunGroup[],
  results: RunResults,
): Table {
  const { id, decimals, columns, rows, orders } = definition;
  const filled = groups.map((group) => ({ group, cells: fillGroup(definition, paper, group, results) }));
  const withRuns = filled.filter(({ group }) => group.runs.length > 0);
  return {
    id,
    title: paper.title,
    caption: paper.caption,
    unit: paper.unit,
    decimals,
    columnGroups: groups.map(({ key, title, runs }) => ({ key, title, hasRuns: runs.length > 0 })),
    columns: groups.flatMap((group) =>
      columns.map((column) => ({ key: columnKey(group, column), title: column.title, group: group.key })),
    ),
    rows: rows.map(({ key, title }) => ({ key, title })),
    cells: filled.flatMap(({ cells }) => cells),
    claims: withRuns.flatMap(({ group, cells }) =>
      orders.map((order) => {
        const all: readonly { key: string; title: string }[] = order.of === 'columns' ? rows : columns;
        const across = all.filter(({ key }) => order.in?.includes(key) ?? true);
        const cell = (first: string, second: string) => {
          const [row, column] = order.of === 'columns' ? [second, first] : [first, second];
          return cells.find((one) => one.row === row && one.column === columnKey(group, { key: column }));
        };
        const pairs = across.map(({ key, title }) => ({
          title,
          above: cell(order.above, key),
          below: cell(order.below, key),
        }));
        return judgeOrder(`${group.title}: ${order.text}`, pairs, order, decimals);
      }),
    ),
    notes: [
      `± of the measured numbers is the sample standard deviation over n results that differ in nothing but ${definition.spread}; there is none where n is 1.`,
      ...withRuns.map(({ group, cells }) => `${group.title}: ${countResults(definition, group, cells)}.`),
      paper.spread ? `± of the paper's numbers: ${paper.spread}` : "The paper's numbers have no ±.",
      `reproduced: measured and paper differ by at most max(2 paper standard deviations, ${definition.tolerance});` +
        " differs: by more; scaled: not measured under the paper's conditions, so not compared.",
    ],
  };
}

const columnKey = (group: { key: string }, column: { key: string }) => `${group.key}/${column.key}`;

/** The cells of one column group, row by row. */
function fillGroup(
  definition: TableDefinition,
  paper: PaperTable,
  group: RunGroup,
  results: RunResults,
): Cell[] {
  return definition.rows.flatMap((row) =>
    definition.columns.map((column): Cell => {
      const published = paperValue(paper, row.labels, { ...group.labels, ...column.labels });
      const place = { row: row.key, column: columnKey(group, column) };
      if (column.paperOnly) {
        return { ...place, measured: null, paper: published, status: 'missing', note: column.paperOnly };
      }
      const labels = { ...definition.labels, ...row.labels, ...column.labels };
      return { ...place, ...measureCell(definition, group, row, labels, results, published) };
    }),
  );
}

/** e.g. `n = 1 for W, s(W); n = 3 for SANE`, with the rows where those of a column differ. */
function countResults({ columns, rows }: TableDefinition, group: RunGroup, cells: Cell[]): string {
  const counts = columns.flatMap(({ key, title }) => {
    const ofColumn = cells.filter(({ column, measured }) => measured && column === columnKey(group, { key }));
    const byCount = [...Map.groupBy(ofColumn, ({ measured }) => measured?.n as number)];
    return byCount.map(([n, those]) => {
      const titles = those.map(({ row }) => rows.find((one) => one.key === row)?.title);
      return { n, title: byCount.length === 1 ? title : `${title} (${titles.join(', ')})` };
    });
  });
  const titles = Map.groupBy(counts, ({ n }) => n);
  const phrases = [...titles].map(([n, of]) => `n = ${n} for ${of.map(({ title }) => title).join(', ')}`);
  return phrases.join('; ') || 'nothing measured';
}
