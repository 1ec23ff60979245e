/** Mistakes in `tables` that its schema cannot see. */
import { type Catalogue, tasksOf } from './catalogue.ts';
import { didYouMean } from './suggest.ts';
import type { Located } from './translate.ts';

const namesOf = (value: unknown): string[] => {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((name) => typeof name === 'string');
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Labels that results of the metric do not have, and names that are both rows and columns. */
export function checkTables({ tables }: Record<string, unknown>, catalogue: Catalogue): Located[] {
  const measures = tasksOf(catalogue).flatMap(({ task }) => Object.entries(task.measures));
  const labels = new Set(measures.flatMap(([, names]) => names));
  return (Array.isArray(tables) ? (tables as unknown[]) : []).flatMap((asked, i): Located[] => {
    if (!isObject(asked)) return [];
    const own = measures.filter(([metric]) => metric === asked.metric).flatMap(([, names]) => names);
    const where = isObject(asked.where) ? Object.keys(asked.where) : [];
    const rows = namesOf(asked.rows);
    const parts = { rows, columns: namesOf(asked.columns), where };
    const missing = Object.entries(parts).flatMap(([key, names]) =>
      names
        .filter((name) => own.length > 0 && labels.has(name) && !own.includes(name))
        .map((name): Located => {
          const message = `${asked.metric} has no label ${name}`;
          const expected = `an axis, a setting or one of ${own.join(', ')}`;
          const problem = { code: 'unknown-label', message, expected, hint: didYouMean(name, own) };
          return { problem, path: ['tables', i, key], markKey: false };
        }),
    );
    const twice = parts.columns
      .filter((name) => rows.includes(name))
      .map((name): Located => {
        const problem = { code: 'duplicate-value', message: `${name} cannot be both rows and columns` };
        return { problem, path: ['tables', i, 'columns'], markKey: false };
      });
    return [...missing, ...twice];
  });
}
