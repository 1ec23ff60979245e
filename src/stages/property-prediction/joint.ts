/** One probe for the models of several zoos, and how well it predicts those of each. */
import type { Split } from '../../zoo/members.ts';
import type { MetricRecord } from '../result.ts';
import type { Features } from './features.ts';
import { rowsOf } from './gram.ts';
import { type ProbeResult, probe } from './probe.ts';
import { r2 } from './ridge.ts';

/** A target's values by split, of each zoo. */
export type JointTargets = readonly ((split: Split) => Float64Array)[];

/**
 * R² of a probe that is fitted on the training models of all zoos, whose `features` and `targets` are given zoo by zoo: on all models
 * (`zoo: all`), and on the test models of each zoo by its number in the experiment's list. Where these have one value for
 * a target, R² is not defined, and there is no record.
 */
export function jointRecords(
  features: readonly Features[],
  targets: ReadonlyMap<string, JointTargets>,
  strengths: readonly number[],
): MetricRecord[] {
  const joined = (split: Split) => rowsOf(features.flatMap((of) => [...of[split]]));
  const rows = { train: joined('train'), val: joined('val'), test: joined('test') };
  const values = Array.from(targets, ([name, of]) => {
    const all = (split: Split) => Float64Array.from(of.flatMap((zoo) => [...zoo(split)]));
    return [name, { train: all('train'), val: all('val'), test: all('test') }] as const;
  });
  const fitted = probe(rows, new Map(values), strengths);
  return [...fitted].flatMap(([target, result]) =>
    recordsOf(target, result, targets.get(target) as JointTargets),
  );
}

function recordsOf(target: string, fitted: ProbeResult, targets: JointTargets): MetricRecord[] {
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
