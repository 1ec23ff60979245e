/** One probe for the models of several zoos, and how well it predicts those of each. */
import type { Split } from '../../zoo/members.ts';
import type { MetricRecord } from '../result.ts';
import type { Features } from './features.ts';
import { probe } from './probe.ts';
import { r2 } from './ridge.ts';

/**
 * R² of a probe that is fitted on the training models of all zoos, whose `features` and `targets` are given zoo by zoo: on all models
 * (`zoo: all`), and on the test models of each zoo by its number in the experiment's list. Where these have one value for
 * a target, R² is not defined, and there is no record.
 */
export function jointRecords(
  target: string,
  features: readonly Features[],
  targets: readonly ((split: Split) => Float64Array)[],
  strengths: readonly number[],
): MetricRecord[] {
  const all = (split: Split) => ({
    features: features.flatMap((of) => [...of[split]]),
    targets: Float64Array.from(targets.flatMap((of) => [...of(split)])),
  });
  const fitted = probe({ train: all('train'), val: all('val'), test: all('test') }, strengths);
  const record = (split: string, zoo: string, value: number): MetricRecord => ({
    metric: 'joint-r2',
    labels: { feature: 'sane', target, split, zoo },
    value,
    seeded: true,
  });
  const records = Object.entries(fitted.r2).map(([split, value]) => record(split, 'all', value));
  let start = 0;
  for (const [i, of] of targets.entries()) {
    const own = of('test');
    const predicted = fitted.testPredictions.subarray(start, start + own.length);
    start += own.length;
    if (own.some((value) => value !== own[0]))
      records.push(record('test', String(i + 1), r2(own, predicted)));
  }
  return records;
}
