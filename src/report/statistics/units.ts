/** What results are independent in: those that are not are averaged first, and n counts what is left. */
import type { Run } from '../../experiment/types.ts';
import type { MetricRecord } from '../../stages/result.ts';

/** What a result can be one of several of. A sample is one of those of a seed; a model is independent of others. */
export type Level = 'zoo' | 'seed' | 'sample' | 'model';

interface Step {
  level: Level;
  key: string;
}

/** What a result is of, from what was drawn first to what was drawn last: a zoo, a seed of its SANE, a sample of that. */
export type Path = readonly Step[];

export interface Result {
  path: Path;
  value: number;
}

/** Independent results by their names, each the mean of those within it. */
export interface Units {
  of: Level;
  values: ReadonlyMap<string, number>;
}

/** Methods whose networks are trained models, in runs of all seeds the same. */
const ofTrainedModels: ReadonlySet<string> = new Set(['finetuned', 'prompts', 'held-out']);

/**
 * Samples of one seed share its SANE, and seeds share their zoo. Models from scratch share nothing, each has an initialisation of its own;
 * those of one prompt, fine-tuned in runs of several seeds, share the prompt.
 */
export function pathOf(run: Run, { labels, seeded, sample }: MetricRecord): Path {
  const zoo = String(run.settings.zoo.seed);
  const seed = seeded ? [String(run.seed)] : [];
  const seeds = seed.map((key): Step => ({ level: 'seed', key }));
  if (sample !== undefined && labels.method === 'scratch')
    return [{ level: 'model', key: [zoo, ...seed, sample].join(' ') }];
  if (sample !== undefined && ofTrainedModels.has(String(labels.method)))
    return [{ level: 'model', key: `${zoo} ${sample}` }, ...seeds];
  const samples = sample === undefined ? [] : [{ level: 'sample' as const, key: sample }];
  return [{ level: 'zoo', key: zoo }, ...seeds, ...samples];
}

/** Names a result: records of runs of other seeds may repeat it. */
export const nameOf = (path: Path): string => JSON.stringify(path.map(({ key }) => key));

/** The units of results that all differ in their paths, on the highest level that has several; null without results. */
export function unitsOf(results: readonly Result[]): Units | null {
  const [first] = results;
  if (!first) return null;
  for (const [depth, { level }] of first.path.entries()) {
    const groups = within(results, depth);
    if (groups.size === 1 && depth < first.path.length - 1) continue;
    return {
      of: level,
      values: new Map([...groups].map(([name, group]) => [name, meanFrom(group, depth + 1)])),
    };
  }
  throw new Error('a result is of nothing');
}

const within = (results: readonly Result[], depth: number): Map<string, Result[]> =>
  Map.groupBy(results, ({ path }) => nameOf(path.slice(0, depth + 1)));

/** Mean of means, level by level, so that a seed with fewer samples counts as much as the others. */
function meanFrom(results: readonly Result[], depth: number): number {
  const deepest = Math.max(...results.map(({ path }) => path.length));
  if (depth >= deepest) return meanOf(results.map(({ value }) => value));
  return meanOf([...within(results, depth).values()].map((group) => meanFrom(group, depth + 1)));
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sample standard deviation (n - 1); null for fewer than two values. */
export function sdOf(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Mean and sample standard deviation; null without values. */
export const summarize = (values: readonly number[]): { mean: number; sd: number | null } | null =>
  values.length === 0 ? null : { mean: meanOf(values), sd: sdOf(values) };
