/** Which runs stand side by side in one column group: those that differ in their seeds only. */
import { datasets } from '../data/registry.ts';
import type { Run } from '../experiment/types.ts';
import type { GroupDefinition, TableDefinition } from './definition.ts';
import type { Labels } from './paper.ts';

/** Settings that change no number: which are asked for, the seed that they are means over, and how many models are trained at once. */
const immaterial = new Set([
  'zoo.seed',
  'zoo.lockstep',
  'property_prediction.features',
  'property_prediction.targets',
  'generation.methods',
]);

export interface RunGroup {
  key: string;
  title: string;
  /** The part of the paper's column labels that is the group's. */
  labels: Labels;
  /** Empty: the paper's group has no run in this experiment. */
  runs: Run[];
  /** How the runs are not under the paper's conditions; empty where they are. */
  scaled: string[];
}

/**
 * The column groups of a table: for each of the paper's, its own runs, then those of data sets that stand in for it.
 * Runs that differ in anything but `seed` and `zoo.seed` go to groups of their own, titled by what differs.
 */
export function groupRuns(definition: TableDefinition, runs: Run[]): RunGroup[] {
  const accepted = runs.filter((run) => definition.accepts(run));
  const names = new Set(definition.groups.map(({ dataset }) => dataset));
  return definition.groups.flatMap((group) => {
    const own = accepted.filter(({ dataset }) => group.dataset === null || dataset === group.dataset);
    const standIns = accepted.filter(({ dataset }) => {
      const shown = datasets[dataset]?.standsFor.find((one) => names.has(one));
      return shown === group.dataset;
    });
    const byDataset = Map.groupBy([...own, ...standIns], ({ dataset }) => dataset);
    if (byDataset.size === 0) {
      const { title } = group;
      return [{ key: group.dataset ?? 'any', title, labels: labelsOf(group), runs: [], scaled: [] }];
    }
    const across = definition.across ?? [];
    return [...byDataset].flatMap(([dataset, runs]) => groupByCondition(group, dataset, runs, across));
  });
}

function groupByCondition(
  group: GroupDefinition,
  dataset: string,
  runs: Run[],
  across: readonly string[],
): RunGroup[] {
  const standIn = dataset !== group.dataset;
  const byCondition = [...Map.groupBy(runs, (run) => JSON.stringify(condition(run, across))).values()];
  const conditions = byCondition.map(([first]) => condition(first as Run, across));
  const varying = Object.keys(conditions[0] as object).filter(
    (name) => new Set(conditions.map((values) => values[name])).size > 1,
  );
  return byCondition.map((sameCondition, i) => {
    const values = varying.map((name) => `${name}=${conditions[i]?.[name]}`);
    return {
      key: [dataset, ...values].join(','),
      title: [standIn ? `${dataset} (paper: ${group.title})` : group.title, ...values].join(', '),
      labels: labelsOf(group),
      runs: sameCondition,
      scaled: [
        ...(standIn ? [`${dataset} stands in for ${group.title}`] : []),
        ...new Set(sameCondition.flatMap(({ scaled }) => scaled)),
      ].filter((difference) => !across.some((setting) => difference.startsWith(`${setting} `))),
    };
  });
}

/** The part of the paper's column labels that is the group's. */
export const labelsOf = ({ dataset, labels }: GroupDefinition): Labels =>
  labels ?? (dataset === null ? {} : { dataset });

/** Everything that makes two runs of a data set different measurements, by its name in the experiment file. */
function condition(run: Run, across: readonly string[]): Record<string, string> {
  const settings = Object.entries(run.settings).flatMap(([block, values]) =>
    Object.entries(values).map(([name, value]) => [`${block}.${name}`, text(value)] as const),
  );
  const counted = settings.filter(([name]) => !immaterial.has(name) && !across.includes(name));
  return { architecture: run.architecture, ...Object.fromEntries(counted) };
}

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
