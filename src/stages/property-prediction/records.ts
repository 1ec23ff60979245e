/** Probes of one feature, as they are kept. */
import type { Report } from '../../base/progress.ts';
import type { Samples } from '../../sane/zoo-samples.ts';
import type { Split } from '../../zoo/members.ts';
import type { Checkpoint } from '../../zoo/zoo.ts';
import type { MetricRecord, Predictions } from '../result.ts';
import type { Rows } from './gram.ts';
import { probe, type TargetValues } from './probe.ts';

/** A test model at one of its checkpoints. */
export type Tested = Checkpoint & { model: string };

export interface ProbeRecords {
  /** What the test predictions are of, in their order. */
  tested: Tested[];
  records: MetricRecord[];
  predictions: Predictions['predictions'];
}

export const testedOf = (samples: Samples): Tested[] =>
  samples.test.map(({ model, checkpoint }) => ({ model: model.id, ...checkpoint }));

/** Fits the probes of a feature, one for each target. */
export function describeProbes(
  feature: string,
  features: Record<Split, Rows>,
  targets: ReadonlyMap<string, TargetValues>,
  { strengths, seeded }: { strengths: readonly number[]; seeded: boolean },
  report: Report,
): Omit<ProbeRecords, 'tested'> {
  const described: Omit<ProbeRecords, 'tested'> = { records: [], predictions: [] };
  const { records, predictions } = described;
  // Without a first report nothing says since when the first probe was fitted.
  report({ done: 0, total: targets.size, unit: 'probes' });
  for (const [target, result] of probe(features, targets, strengths)) {
    for (const metric of ['r2', 'tau'] as const) {
      for (const [split, value] of Object.entries(result[metric]))
        records.push({ metric, labels: { feature, target, split }, value, seeded });
    }
    const actual = [...(targets.get(target) as TargetValues).test];
    predictions.push({ feature, target, values: [...result.testPredictions], actual });
    report({
      ...{ done: predictions.length, total: targets.size, unit: 'probes' },
      metric: { name: `test R² of ${feature} for ${target}`, value: result.r2.test },
    });
  }
  return described;
}
