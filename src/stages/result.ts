/** What a run ends in: numbers with labels, kept as `result.json` in the artefact of the run's last stage. */

/** One measured number. */
export interface MetricRecord {
  /** e.g. `r2`. */
  metric: string;
  /** What it was measured on, e.g. `{feature: 'sane', target: 'epoch', split: 'test'}`. */
  labels: Record<string, string | number | boolean>;
  value: number;
  /** Which of the networks that one run measures, where there are several; they are put together with those of other runs. */
  sample?: string;
  /** False where the run's seed has no part in the number, so that runs of other seeds repeat it. */
  seeded: boolean;
}

export interface TaskResult {
  records: MetricRecord[];
}

/** What was predicted of each test checkpoint, kept beside a result as `predictions.json`. */
export interface Predictions {
  tested: { model: string; test_accuracy: number }[];
  /** In the order of `tested`; `actual` is what was to be predicted, which older results do not have. */
  predictions: { feature: string; target: string; values: number[]; actual?: number[] }[];
}
