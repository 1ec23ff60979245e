/** Results as columns: a row for each number of each run, with everything that it is about beside it. */
import { asText } from '../../experiment/grid.ts';
import { shortKeys } from '../../experiment/run-names.ts';
import type { Plan, Run } from '../../experiment/types.ts';
import type { RunResults } from '../../report/measure.ts';
import type { MetricRecord } from '../../stages/result.ts';

type Value = string | number | boolean | null;

export interface Column {
  name: string;
  type: 'STRING' | 'DOUBLE' | 'BOOLEAN';
  values: readonly Value[];
}

interface Row {
  run: Run;
  record: MetricRecord;
}

/** Numbers and truth values stay what they are where all of a column are; anything else is text. */
function column(name: string, values: readonly unknown[]): Column {
  const given = values.filter((value) => value !== undefined && value !== null);
  const are = (type: string) => given.length > 0 && given.every((value) => typeof value === type);
  if (are('number'))
    return { name, type: 'DOUBLE', values: values.map((value) => (value as number) ?? null) };
  if (are('boolean'))
    return { name, type: 'BOOLEAN', values: values.map((value) => (value as boolean) ?? null) };
  const text = (value: unknown) => (value === undefined || value === null ? null : asText(value as Value));
  return { name, type: 'STRING', values: values.map(text) };
}

/** Columns: experiment, id and name of the run, its axes, metric, labels, sample, and last the value. */
export function tidyColumns({ name, runs }: Plan, results: RunResults): Column[] {
  const rows = runs.flatMap((run): Row[] => {
    const result = results.get(run.id);
    return result?.status === 'done' ? result.records.map((record) => ({ run, record })) : [];
  });
  const short = shortKeys(runs.map(({ resultKey }) => resultKey));
  const axes = [...new Set(runs.flatMap((run) => Object.keys(run.axes)))];
  const labels = [...new Set(rows.flatMap(({ record }) => Object.keys(record.labels)))];
  const of = (title: string, read: (row: Row) => unknown) => column(title, rows.map(read));
  return [
    of('experiment', () => name),
    of('id', ({ run }) => short(run.resultKey)),
    of('run', ({ run }) => run.id),
    ...axes.map((axis) => of(axis, ({ run }) => run.axes[axis])),
    of('metric', ({ record }) => record.metric),
    ...labels.map((label) => of(label, ({ record }) => record.labels[label])),
    of('sample', ({ record }) => record.sample),
    of('value', ({ record }) => record.value),
  ];
}
