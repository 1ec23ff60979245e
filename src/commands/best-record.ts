/** What a run's results come to in one number. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeMetric } from '../report/metrics.ts';
import type { Store } from '../runner/store.ts';
import type { MetricRecord, TaskResult } from '../stages/result.ts';

/** The records of a finished stage that a run ends in; none where it is not finished, or was changed since. */
export async function recordsOf(store: Store, stage: string, key: string): Promise<MetricRecord[]> {
  const found = await store.check({ stage, key });
  if (found?.state !== 'complete' || !found.record.files['result.json']) return [];
  return (JSON.parse(readFileSync(join(found.dir, 'result.json'), 'utf8')) as TaskResult).records;
}

/** The best of the records of the first metric, on test data where there are some; undefined where the metric has no best. */
export function bestOf(records: readonly MetricRecord[]): MetricRecord | undefined {
  const metric = records[0]?.metric;
  const direction = metric && describeMetric(metric).best;
  if (!direction) return undefined;
  const own = records.filter((record) => record.metric === metric && Number.isFinite(record.value));
  const tested = own.filter(({ labels }) => labels.split === 'test');
  const sign = direction === 'highest' ? 1 : -1;
  return (tested.length > 0 ? tested : own).reduce<MetricRecord | undefined>(
    (best, record) => (best === undefined || sign * record.value > sign * best.value ? record : best),
    undefined,
  );
}

/** `r2 0.976 statistics epoch`: labels without their names, and without the test split, which goes without saying. */
export function describeRecord({ metric, labels, value }: MetricRecord): string {
  const words = Object.entries(labels).flatMap(([name, label]) =>
    name === 'split' && label === 'test' ? [] : [typeof label === 'string' ? label : `${name} ${label}`],
  );
  return [metric, Number(value.toPrecision(3)), ...words].join(' ');
}
