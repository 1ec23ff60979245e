/** Mistakes in `tables` that its schema cannot see. */
import { isObject } from '../base/json.ts';
import { type Catalogue, tasksOf } from './catalogue.ts';
import { didYouMean } from './suggest.ts';
import type { Located } from './translate.ts';

const namesOf = (value: unknown): string[] => {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((name) => typeof name === 'string');
};

/** The values that an axis has anywhere in the file: in the grid, in a zip, in an include. */
function valuesOf(axis: string, { grid, zip, include }: Record<string, unknown>): string[] {
  const listsOf = (entries: unknown) => (Array.isArray(entries) ? entries : [entries]).filter(isObject);
  return [...listsOf(grid), ...listsOf(zip), ...listsOf(include)].flatMap((entry) => namesOf(entry[axis]));
}

/** Tables that none of the experiment's tasks gives a number for. */
function checkTasks(value: Record<string, unknown>, catalogue: Catalogue): Located[] {
  const names = valuesOf('task', value);
  const all = tasksOf(catalogue);
  // A name that is no task is another mistake.
  if (names.length === 0 || names.some((name) => !all.some((task) => task.name === name))) return [];
  const check = (
    what: string,
    has: (task: (typeof all)[number]['task']) => boolean,
    path: Located['path'],
  ) => {
    const able = all.filter(({ task }) => has(task)).map(({ name }) => name);
    if (able.length === 0 || able.some((name) => names.includes(name))) return [];
    const problem = {
      code: 'unfilled-table',
      message: `${what} is of the task ${able.join(' or ')}`,
      received: `task ${names.join(', ')}`,
      hint: 'leave the table out, or add the task to grid',
    };
    return [{ problem, path, markKey: false }];
  };
  return (Array.isArray(value.tables) ? (value.tables as unknown[]) : []).flatMap((asked, i): Located[] => {
    const number = isObject(asked) ? asked.table : asked;
    if (typeof number === 'number')
      return check(`Table ${number}`, ({ tables }) => tables.includes(number), ['tables', i]);
    if (!isObject(asked) || typeof asked.metric !== 'string') return [];
    const { metric } = asked;
    return check(metric, ({ measures }) => metric in measures, ['tables', i, 'metric']);
  });
}

/** Labels that results of the metric do not have, names that are both rows and columns, and tables that no task of the file fills. */
export function checkTables(value: Record<string, unknown>, catalogue: Catalogue): Located[] {
  const { tables } = value;
  const measures = tasksOf(catalogue).flatMap(({ task }) => Object.entries(task.measures));
  const labels = new Set(measures.flatMap(([, names]) => names));
  const misused = (Array.isArray(tables) ? (tables as unknown[]) : []).flatMap((asked, i): Located[] => {
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
  return [...misused, ...checkTasks(value, catalogue)];
}
