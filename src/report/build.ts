/** From a plan and the results of its runs to its tables: the paper's, and pivots. */
import type { Plan } from '../experiment/types.ts';
import { choiceNotes } from './choices.ts';
import { definitionsOf } from './choose.ts';
import { gatherConditions } from './conditions.ts';
import type { TableDefinition } from './definition.ts';
import { groupRuns, type RunGroup } from './groups.ts';
import { columnKey, describeContrasts, type Filled, judgeGroup } from './judge.ts';
import { measureCell, type RunResults } from './measure.ts';
import { type PaperTable, paperValue, readPaperTable } from './paper.ts';
import { buildPivot, type PivotRequest } from './pivot.ts';
import { pivotsOf, viewsOf } from './requests.ts';
import { countText, methodNotes, spreadNote } from './spread.ts';
import { findSweeps } from './sweeps.ts';
import { rowTitle, type Table } from './table.ts';
import { departureNotes } from './tables/departures.ts';

/**
 * The plan's tables: those of the paper, each measured number beside the paper's, then the pivots that it asks for, and those of settings that vary and of runs
 * that would be in no table. `results` by run id. Throws if the plan names a table that has no definition.
 */
export function buildTables(plan: Plan, results: RunResults): Table[] {
  const definitions = definitionsOf(plan);
  const asked = pivotsOf(plan);
  const views = viewsOf(plan);
  const ofPaper = definitions.map((definition) => ({
    ...buildTable(definition, readPaperTable(definition.id), groupRuns(definition, plan.runs), results),
    view: views.get(definition.id) ?? {},
  }));
  const sweeps = findSweeps(plan, definitions, asked, results);
  const keys = new Map<string, number>();
  const build = (prefix: string, request: PivotRequest): Table => {
    const name = `${prefix}-${request.metric}`;
    const count = (keys.get(name) ?? 0) + 1;
    keys.set(name, count);
    return buildPivot(count > 1 ? `${name}-${count}` : name, request, plan.runs, results);
  };
  return [
    ...ofPaper,
    ...asked.map((request) => build('pivot', request)),
    ...sweeps.map((request) => build(request.skipConstant ? 'sweep' : 'results', request)),
  ];
}

function buildTable(
  definition: TableDefinition,
  paper: PaperTable,
  groups: RunGroup[],
  results: RunResults,
): Table {
  const { id, decimals, best, stub, columns, rows } = definition;
  const filled = groups.map((group) => ({ group, places: fillGroup(definition, paper, group, results) }));
  const withRuns = filled.filter(({ group }) => group.runs.length > 0);
  const cells = filled.flatMap(({ places }) => places.map(({ cell }) => cell));
  const measured = new Set(cells.flatMap(({ measured, row }) => (measured ? [row] : [])));
  const ofRows = rows.flatMap(({ key, condition }) => (condition && measured.has(key) ? [condition] : []));
  const runs = withRuns.flatMap(({ group }) => group.runs);
  const methods = new Set(
    [...rows, ...columns].flatMap(({ labels: { method } }) => (method === undefined ? [] : [String(method)])),
  );
  // Which group a sentence is about goes without saying where there is one.
  const lead = ({ title }: RunGroup) => (withRuns.length > 1 ? `${title}: ` : '');
  const claims = withRuns.flatMap(({ group, places }) => judgeGroup(definition, group, places, lead(group)));
  return {
    key: `table-${String(id).padStart(2, '0')}`,
    id,
    title: paper.title,
    caption: [
      paper.caption,
      ...new Set(runs.flatMap((run) => definition.caption?.(run, methods) ?? [])),
    ].join(' '),
    unit: paper.unit,
    decimals,
    best,
    stub,
    columnGroups: groups.map(({ key, title, runs }) => ({ key, title, hasRuns: runs.length > 0 })),
    columns: groups.flatMap((group) =>
      columns.map((column) => ({
        ...{ key: columnKey(group, column), title: column.title },
        ...{ group: group.key, labels: column.labels },
      })),
    ),
    rows: rows.map(({ key, titles, labels, unranked }) => ({
      key,
      titles,
      labels,
      ...(unranked && { unranked }),
    })),
    cells,
    claims,
    notes: [
      spreadNote,
      ...withRuns.map(({ group, places }) =>
        sentence(`${lead(group)}${countResults(definition, group, places)}`),
      ),
      ...departureNotes(definition.departures ?? []),
      ...withRuns.flatMap(({ group, places }) => describeContrasts(definition, group, places, lead(group))),
      ...methodNotes(definition, paper, cells, claims),
      ...choiceNotes(runs),
    ],
    view: {},
    conditions: gatherConditions(
      withRuns.map(({ group }) => group),
      [...new Set(ofRows)],
    ),
  };
}

/** With its full stop, which an abbreviation at the end has already. */
const sentence = (text: string) => (text.endsWith('.') ? text : `${text}.`);

/** The cells of one column group, row by row. */
function fillGroup(
  definition: TableDefinition,
  paper: PaperTable,
  group: RunGroup,
  results: RunResults,
): Filled[] {
  return definition.rows.flatMap((row) =>
    definition.columns.map((column): Filled => {
      const isPapers = !row.beyondPaper && !column.beyondPaper;
      const published = isPapers
        ? paperValue(paper, row.labels, { ...group.labels, ...column.labels })
        : null;
      const place = { row: row.key, column: columnKey(group, column) };
      if (column.paperOnly) {
        const common = { measured: null, difference: null, pending: false, status: 'missing' } as const;
        return { cell: { ...place, ...common, paper: published, note: column.paperOnly }, statistic: null };
      }
      const labels = { ...definition.labels, ...row.labels, ...column.labels };
      const { cell, statistic } = measureCell(definition, group, row, labels, results, published);
      return { cell: { ...place, ...cell }, statistic };
    }),
  );
}

/** e.g. `n = 1 zoo for W, s(W); n = 3 seeds for SANE`: by column where those of a column agree, else by row where those of a row do, else by both. */
function countResults(
  { columns, rows }: TableDefinition,
  group: RunGroup,
  places: readonly Filled[],
): string {
  const counted = places.flatMap(({ cell: { row, column, measured } }) => {
    const across = columns.find(({ key }) => column === columnKey(group, { key }));
    const down = rows.find(({ key }) => key === row);
    return measured && across && down ? [{ across, down, count: countText(measured) }] : [];
  });
  if (counted.length === 0) return 'nothing measured';
  const ways = [
    () => '',
    ({ across }: Counted) => across.title,
    ({ down }: Counted) => down.titles.at(-1) as string,
    ({ across, down }: Counted) => `${across.title} (${rowTitle(down)})`,
  ];
  type Counted = (typeof counted)[number];
  const settles = (way: (one: Counted) => string) =>
    [...Map.groupBy(counted, way).values()].every(
      (same) => new Set(same.map(({ count }) => count)).size === 1,
    );
  const name = ways.find(settles) as (one: Counted) => string;
  return [...Map.groupBy(counted, ({ count }) => count)]
    .map(
      ([count, of]) => `${count}${name(of[0] as Counted) && ` for ${[...new Set(of.map(name))].join(', ')}`}`,
    )
    .join('; ');
}
