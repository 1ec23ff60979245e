/** From the records of a group's runs to the content of one cell. */
import type { Run } from '../experiment/types.ts';
import type { MetricRecord } from '../stages/result.ts';
import type { RowDefinition, TableDefinition } from './definition.ts';
import { conditionsOf, type RunGroup } from './groups.ts';
import { type Labels, sameLabels } from './paper.ts';
import type { Cell, Measured, Published, Status } from './table.ts';

/** What became of a run. */
export type RunResult =
  | { status: 'done'; records: MetricRecord[] }
  | { status: 'failed'; reason: string }
  | { status: 'missing' };

/** Results by the id of their run; a run without an entry is missing. */
export type RunResults = ReadonlyMap<string, RunResult>;

/**
 * What one cell holds, given its row, the labels of its records and the paper's number.
 *
 * Status: `failed` where a run failed, `missing` where nothing was measured, `scaled` where a setting that the number depends on is not
 * the paper's, `measured` where the paper has no number to compare with, else `reproduced` if |measured - paper| is at most
 * max(2 paper standard deviations, the table's tolerance), else `differs`.
 */
export function measureCell(
  definition: TableDefinition,
  group: RunGroup,
  row: Pick<RowDefinition, 'metric' | 'condition'>,
  labels: Labels,
  results: RunResults,
  paper: Published | null,
): Omit<Cell, 'row' | 'column'> {
  const disagreements: string[] = [];
  const metric = row.metric ?? definition.metric;
  const values = collect(definition, metric, group.runs, labels, results, disagreements);
  const isScaled = row.condition !== undefined || conditionsOf(group, labels).length > 0;
  const measured = summarize(values.filter(Number.isFinite));
  const reasons = failures(group.runs, results);
  reasons.push(...disagreements.slice(0, 1));
  if (!values.every(Number.isFinite)) reasons.push('a result is not a finite number');

  const unfinished = countUnfinished(group.runs, results);
  const notes = [...reasons];
  if (unfinished > 0) notes.push(`${unfinished} of ${group.runs.length} runs not finished`);

  let status: Status;
  if (reasons.length > 0) status = 'failed';
  else if (!measured) status = 'missing';
  else if (isScaled) status = 'scaled';
  else if (!paper) status = 'measured';
  else status = compare(measured, paper, definition.tolerance);
  return { measured, paper, status, pending: unfinished > 0, note: notes.join('; ') };
}

function compare(measured: Measured, paper: Published, tolerance: number): Status {
  const allowed = Math.max(2 * (paper.sd ?? 0), tolerance);
  return Math.abs(measured.mean - paper.mean) <= allowed ? 'reproduced' : 'differs';
}

/** Which of the results behind one mean a record is: records of runs of other seeds may repeat it. */
export function replicateOf(run: Run, { seeded, sample }: MetricRecord): string {
  const zooSeed = run.settings.zoo.seed;
  return `${seeded ? `${zooSeed} ${run.seed}` : zooSeed} ${sample ?? ''}`;
}

/** Equal but for the order of sums, which may depend on a job's threads. */
const agree = (a: number, b: number) => Object.is(a, b) || Math.abs(a - b) <= 1e-3 * Math.max(1, Math.abs(a));

/** One value for each network of each pair of seeds or, where the run's seed has no part in the number, of each zoo. Adds to `disagreements` where runs have another. */
function collect(
  { factor, relabel = (own) => own }: TableDefinition,
  metric: string,
  runs: Run[],
  labels: Labels,
  results: RunResults,
  disagreements: string[],
): number[] {
  const values = new Map<string, number>();
  for (const run of runs) {
    const result = results.get(run.id);
    if (result?.status !== 'done') continue;
    for (const record of result.records) {
      if (record.metric !== metric) continue;
      const own = relabel(record.labels, run, metric);
      if (!own || !sameLabels(own, labels)) continue;
      const key = replicateOf(run, record);
      const value = factor * record.value;
      const earlier = values.get(key);
      if (earlier !== undefined && !agree(earlier, value))
        disagreements.push(
          `results that the run's seed has no part in disagree: ${earlier} and ${value} (${run.id})`,
        );
      values.set(key, value);
    }
  }
  return [...values.values()];
}

/** How many runs have no result yet. */
export function countUnfinished(runs: readonly Run[], results: RunResults): number {
  return runs.filter(({ id }) => (results.get(id)?.status ?? 'missing') === 'missing').length;
}

/** Mean and sample standard deviation; null without values. */
export function summarize(values: number[]): Measured | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: n < 2 ? null : Math.sqrt(squares / (n - 1)), n };
}

/** The folders of absolute paths, which name a machine's users and are not published. */
const folders = /(?<=^|[\s'"`(:=,])\/(?:[^\s'"`(),:;/]+\/)+(?=[^\s/])/g;

/** A reason can be a program's output, with line breaks, colours and paths. */
const oneLine = (text: string) => Bun.stripANSI(text).replace(/\s+/g, ' ').replace(folders, '…/').trim();

/** e.g. `2 of 3 runs failed: out of memory`, one for each reason. */
export function failures(runs: readonly Run[], results: RunResults): string[] {
  const reasons = runs.flatMap(({ id }) => {
    const result = results.get(id);
    return result?.status === 'failed' ? [oneLine(result.reason)] : [];
  });
  const counted = Map.groupBy(reasons, (reason) => reason);
  return [...counted].map(([reason, { length }]) => `${length} of ${runs.length} runs failed: ${reason}`);
}
