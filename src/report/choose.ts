/** Which tables of the paper an experiment has. */
import type { Plan, Run } from '../experiment/types.ts';
import type { TableDefinition } from './definition.ts';
import { groupRuns, placeOf, type RunGroup } from './groups.ts';
import { sweptIn } from './sweeps.ts';
import { tableDefinitions } from './tables/registry.ts';

/**
 * The tables of the paper that a plan names or, if it names nothing, those that its runs belong in first: not those of another data set that a run could stand
 * in for too, nor one that an earlier one says all of, nor one whose place for a data set runs of several settings would have to share; they have a pivot. Throws
 * if a table has no definition.
 */
export function definitionsOf(plan: Plan): TableDefinition[] {
  if (plan.tables === null) return chooseDefinitions(plan);
  const ids = plan.tables.flatMap((asked) => {
    if (typeof asked === 'number') return asked;
    return 'table' in asked ? asked.table : [];
  });
  return ids.map((id) => {
    const definition = tableDefinitions.find((definition) => definition.id === id);
    if (!definition) throw new Error(`Table ${id} has no definition in src/report/tables.`);
    return definition;
  });
}

function chooseDefinitions({ runs }: Plan): TableDefinition[] {
  const distances = new Map(
    tableDefinitions.map((definition) => {
      const accepted = runs.filter((run) => definition.accepts(run));
      return [definition, new Map(accepted.map((run) => [run, placeOf(run, definition.groups)?.distance]))];
    }),
  );
  const nearest = (run: Run) =>
    Math.min(...[...distances.values()].map((ofTable) => ofTable.get(run) ?? Number.POSITIVE_INFINITY));
  const chosen: { definition: TableDefinition; groups: RunGroup[] }[] = [];
  for (const [definition, ofTable] of distances) {
    if (![...ofTable].some(([run, distance]) => distance === nearest(run))) continue;
    const groups = groupRuns(definition, runs).filter(({ runs }) => runs.length > 0);
    if (groups.some((group) => sweptIn(group).length > 0)) continue;
    const isRepeated = chosen.some(
      (earlier) =>
        JSON.stringify([earlier.definition.rows, earlier.definition.columns]) ===
          JSON.stringify([definition.rows, definition.columns]) &&
        groups.every(({ key }) => earlier.groups.some((group) => group.key === key)),
    );
    if (!isRepeated) chosen.push({ definition, groups });
  }
  return chosen.map(({ definition }) => definition);
}
