/** What an experiment's `tables` asks for. */
import type { Plan } from '../experiment/types.ts';
import { text } from './groups.ts';
import type { PivotRequest } from './pivot.ts';
import type { View } from './view.ts';

const list = <T>(value: T | readonly T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? [...value] : [value as T];

/** The pivots that a plan asks for. */
export function pivotsOf({ tables }: Plan): PivotRequest[] {
  return (tables ?? []).flatMap((asked) => {
    if (typeof asked === 'number' || !('metric' in asked)) return [];
    const where = Object.entries(asked.where ?? {}).map(([name, value]) => [name, list(value).map(text)]);
    return {
      metric: asked.metric,
      rows: list(asked.rows),
      columns: list(asked.columns),
      where: Object.fromEntries(where),
      ...(asked.title ? { title: asked.title } : {}),
    };
  });
}

/** How tables of the paper are asked for to be shown, by their numbers. */
export function viewsOf({ tables }: Plan): Map<number, View> {
  return new Map(
    (tables ?? []).flatMap((asked) => {
      if (typeof asked === 'number' || !('table' in asked)) return [];
      const { table, layout, all } = asked;
      return [[table, { ...(layout ? { layout } : {}), ...(all === undefined ? {} : { all }) }]];
    }),
  );
}
