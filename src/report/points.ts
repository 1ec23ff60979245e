/** Results as points with everything that they are about: what pivots are made of. */
import type { Run } from '../experiment/types.ts';
import { immaterial, text } from './groups.ts';
import type { Collected, RunResults } from './measure.ts';
import { pathOf } from './statistics/units.ts';

/** By name: axes and settings of a run, labels of a record. */
export type Attributes = Readonly<Record<string, string>>;

/** One record. */
export interface Point {
  attributes: Attributes;
  /** Names of those attributes that are labels of the record. */
  labels: string[];
  found: Collected;
}

/** What a run is about: its axes and all settings. */
export function attributesOf({ architecture, dataset, task, seed, settings }: Run): Attributes {
  const entries = Object.entries(settings).flatMap(([block, values]) =>
    Object.entries(values).map(([name, value]) => [`${block}.${name}`, text(value)] as const),
  );
  return { architecture, dataset, task, seed: String(seed), ...Object.fromEntries(entries) };
}

/** The records of a metric of finished runs. */
export function pointsOf(metric: string, runs: readonly Run[], results: RunResults): Point[] {
  return runs.flatMap((run) => {
    const result = results.get(run.id);
    if (result?.status !== 'done') return [];
    const ofRun = attributesOf(run);
    const records = result.records.filter((record) => record.metric === metric);
    return records.map((record) => {
      const labels = Object.entries(record.labels).map(([name, value]) => [name, text(value)] as const);
      return {
        attributes: { ...ofRun, ...Object.fromEntries(labels) },
        labels: labels.map(([name]) => name),
        found: { path: pathOf(run, record), value: record.value, run, labels: record.labels },
      };
    });
  });
}

/** The values of some attributes, empty where it has none. */
export const pick = (attributes: Attributes, names: readonly string[]): string[] =>
  names.map((name) => attributes[name] ?? '');

const seeds = new Set(['seed', 'zoo.seed']);

/** Names of what varies among points beside seeds and beside what is `settled`, without what that settles too. Labels come first. */
export function varyingNames(points: readonly Point[], settled: readonly string[]): string[] {
  const found: string[] = [];
  const labels = points.flatMap(({ labels }) => labels);
  for (const name of new Set([...labels, ...points.flatMap(({ attributes }) => Object.keys(attributes))])) {
    const known = [...settled, ...found];
    if (known.includes(name) || seeds.has(name) || immaterial.has(name)) continue;
    const first = points[0]?.attributes[name];
    if (points.every(({ attributes }) => attributes[name] === first)) continue;
    const values = new Map<string, string>();
    const isSettled = points.every(({ attributes }) => {
      const key = JSON.stringify(pick(attributes, known));
      const value = attributes[name] ?? '';
      if (!values.has(key)) values.set(key, value);
      return values.get(key) === value;
    });
    if (!isSettled) found.push(name);
  }
  return found;
}

/** The combinations of values that occur, numbers by size and other values in the order in which they come. */
export function combinations(all: readonly Attributes[], names: readonly string[]): string[][] {
  const ranks = names.map((name) => {
    const values = [...new Set(all.map((attributes) => attributes[name] ?? ''))];
    if (values.every((value) => value !== '' && Number.isFinite(Number(value))))
      values.sort((a, b) => Number(a) - Number(b));
    return new Map(values.map((value, i) => [value, i]));
  });
  const found = new Map(
    all.map((attributes) => [JSON.stringify(pick(attributes, names)), pick(attributes, names)]),
  );
  const rank = (values: readonly string[], i: number) => ranks[i]?.get(values[i] as string) ?? 0;
  return [...found.values()].sort((a, b) =>
    names.reduce((order, _, i) => order || rank(a, i) - rank(b, i), 0),
  );
}
