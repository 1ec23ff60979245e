/** From the records of a group's runs to the content of one cell. */
import type { Run } from '../experiment/types.ts';
import type { MetricRecord, Predictions } from '../stages/result.ts';
import type { RowDefinition, TableDefinition } from './definition.ts';
import { conditionsOf, type RunGroup } from './groups.ts';
import { type Labels, sameLabels } from './paper.ts';
import { averageOf, type Resampled, resampleR2, sumsOf } from './statistics/bootstrap.ts';
import { estimateOf, intervalOf, type Statistic } from './statistics/statistic.ts';
import { meanOf, nameOf, pathOf, type Result, sdOf, unitsOf } from './statistics/units.ts';
import type { Cell, Measured, Published, Status } from './table.ts';
import { compareWithPaper } from './verdict.ts';

/** What became of a run. */
export type RunResult =
  | { status: 'done'; records: MetricRecord[]; predictions?: Predictions }
  | { status: 'failed'; reason: string }
  | { status: 'missing' };

/** Results by the id of their run; a run without an entry is missing. */
export type RunResults = ReadonlyMap<string, RunResult>;

/** What one cell holds, and the number in it with what is known of its uncertainty. */
export interface Found {
  cell: Omit<Cell, 'row' | 'column'>;
  statistic: Statistic | null;
}

/**
 * What one cell holds, given its row, the labels of its records and the paper's number.
 *
 * Status: `failed` where a run failed, `missing` where nothing was measured, `scaled` where a setting that the number depends on is not
 * the paper's, `measured` where the paper has no number to compare with, else what `compareWithPaper` says.
 */
export function measureCell(
  definition: TableDefinition,
  group: RunGroup,
  row: Pick<RowDefinition, 'metric' | 'condition'>,
  labels: Labels,
  results: RunResults,
  paper: Published | null,
): Found {
  const metric = row.metric ?? definition.metric;
  const { found, disagreements } = collect(definition, metric, group.runs, labels, results);
  const isScaled = row.condition !== undefined || conditionsOf(group, labels).length > 0;
  const finite = found.filter(({ value }) => Number.isFinite(value));
  const statistic = statisticOf(metric, finite, results);
  const measured = statistic && describe(statistic);
  const reasons = failures(group.runs, results);
  reasons.push(...disagreements.slice(0, 1));
  if (finite.length < found.length) reasons.push('a result is not a finite number');

  const unfinished = countUnfinished(group.runs, results);
  const notes = [...reasons];
  if (unfinished > 0) notes.push(`${unfinished} of ${group.runs.length} runs not finished`);
  const common = { measured, paper, pending: unfinished > 0, note: notes.join('; ') };

  const judge = (): Pick<Cell, 'status' | 'difference'> => {
    const alone = (status: Status) => ({ status, difference: null });
    if (reasons.length > 0) return alone('failed');
    if (!statistic) return alone('missing');
    if (isScaled) return alone('scaled');
    if (!paper) return alone('measured');
    const { status, interval } = compareWithPaper(estimateOf(statistic), paper, definition.margin.size);
    return { status, difference: interval };
  };
  return { cell: { ...common, ...judge() }, statistic };
}

/** A record in the table's unit, with its run. */
export interface Collected extends Result {
  run: Run;
  labels: Labels;
}

/** Equal but for the order of sums, which may depend on a job's threads. */
const agree = (a: number, b: number) => Object.is(a, b) || Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(a));

/** One value for each network of each pair of seeds or, where the run's seed has no part in the number, of each zoo; and where runs have another. */
function collect(
  { factor, relabel = (own) => own }: TableDefinition,
  metric: string,
  runs: Run[],
  labels: Labels,
  results: RunResults,
): { found: Collected[]; disagreements: string[] } {
  const values = new Map<string, Collected>();
  const disagreements: string[] = [];
  for (const run of runs) {
    const result = results.get(run.id);
    if (result?.status !== 'done') continue;
    for (const record of result.records) {
      if (record.metric !== metric) continue;
      const own = relabel(record.labels, run, metric);
      if (!own || !sameLabels(own, labels)) continue;
      const path = pathOf(run, record);
      const name = nameOf(path);
      const value = factor * record.value;
      const earlier = values.get(name)?.value;
      if (earlier !== undefined && !agree(earlier, value))
        disagreements.push(
          `results that the run's seed has no part in disagree: ${earlier} and ${value} (${run.id})`,
        );
      values.set(name, { path, value, run, labels: record.labels });
    }
  }
  return { found: [...values.values()], disagreements };
}

/** Metrics of predictions for test models, on which other models would give other numbers. */
const ofTestModels = new Set(['r2', 'tau', 'joint-r2']);

/** Results that differ in their paths as one number. R² of one zoo's test models is resampled where the predictions are kept. */
export function statisticOf(
  metric: string,
  found: readonly Collected[],
  results: RunResults,
): Statistic | null {
  const units = unitsOf(found);
  if (!units) return null;
  // Zoos have test models of their own, so that the spread over zoos is over these too.
  const isOfZoos = units.of === 'zoo' && units.values.size > 1;
  if (isOfZoos || !ofTestModels.has(metric)) return { units, resampled: null };
  const each = found.map(({ run, labels }) =>
    metric === 'r2' ? resampledOf(results.get(run.id), labels) : null,
  );
  return { units, resampled: averageOf(each) ?? 'unknown' };
}

/** R² of a run's predictions on resampled test models; null where they were not kept. */
function resampledOf(result: RunResult | undefined, { feature, target, split }: Labels): Resampled | null {
  if (result?.status !== 'done' || split !== 'test') return null;
  const { tested = [], predictions = [] } = result.predictions ?? {};
  const own = predictions.find((one) => one.feature === feature && one.target === target);
  if (!own?.actual) return null;
  return resampleR2(
    sumsOf(
      tested.map(({ model }) => model),
      own.actual,
      own.values,
    ),
  );
}

/** The mean and what its ± and interval are over. */
export function describe(statistic: Statistic): Measured {
  const { units, resampled } = statistic;
  const values = [...units.values.values()];
  const models = resampled === null || resampled === 'unknown' ? null : resampled.models.length;
  const interval = intervalOf(statistic);
  return {
    ...{ mean: meanOf(values), sd: sdOf(values), n: values.length, of: units.of, models },
    // R² is 1 at most, which the spread of seeds does not know.
    interval: interval && models !== null ? [interval[0], Math.min(1, interval[1])] : interval,
  };
}

/** How many runs have no result yet. */
export function countUnfinished(runs: readonly Run[], results: RunResults): number {
  return runs.filter(({ id }) => (results.get(id)?.status ?? 'missing') === 'missing').length;
}

/** The folders of absolute paths, which name a machine's users and are not published. */
const folders = /(?<=^|[\s'"`(:=,])\/(?:[^\s'"`(),:;/]+\/)+(?=[^\s/])/g;

/** A reason as it is published: it can be a program's output, with line breaks, colours and paths. */
export const publishedReason = (text: string): string =>
  Bun.stripANSI(text).replace(/\s+/g, ' ').replace(folders, '…/').trim();

/** e.g. `2 of 3 runs failed: out of memory`, one for each reason. */
export function failures(runs: readonly Run[], results: RunResults): string[] {
  const reasons = runs.flatMap(({ id }) => {
    const result = results.get(id);
    return result?.status === 'failed' ? [publishedReason(result.reason)] : [];
  });
  const counted = Map.groupBy(reasons, (reason) => reason);
  return [...counted].map(([reason, { length }]) => `${length} of ${runs.length} runs failed: ${reason}`);
}
