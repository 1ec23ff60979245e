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
