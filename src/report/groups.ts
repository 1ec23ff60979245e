/** Which runs stand side by side in one column group: those that differ in their seeds only. */
import { datasets } from '../data/registry.ts';
import type { Run } from '../experiment/types.ts';
import type { GroupDefinition, TableDefinition } from './definition.ts';

export interface RunGroup {
  key: string;
  title: string;
  /** The paper's data set, whose numbers the runs are compared with. */
  dataset: string;
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
  return definition.groups.flatMap((group) => {
    const own = accepted.filter(({ dataset }) => dataset === group.dataset);
    const standIns = accepted.filter(({ dataset }) => datasets[dataset]?.standsFor === group.dataset);
    const byDataset = Map.groupBy([...own, ...standIns], ({ dataset }) => dataset);
    if (byDataset.size === 0) {
      return [{ key: group.dataset, title: group.title, dataset: group.dataset, runs: [], scaled: [] }];
    }
    return [...byDataset].flatMap(([dataset, ofDataset]) => groupByCondition(group, dataset, ofDataset));
  });
}

function groupByCondition(group: GroupDefinition, dataset: string, runs: Run[]): RunGroup[] {
  const standIn = dataset !== group.dataset;
  const byCondition = [...Map.groupBy(runs, (run) => JSON.stringify(condition(run))).values()];
  const conditions = byCondition.map(([first]) => condition(first as Run));
  const varying = Object.keys(conditions[0] as object).filter(
    (name) => new Set(conditions.map((values) => values[name])).size > 1,
  );
  return byCondition.map((sameCondition, i) => {
    const values = varying.map((name) => `${name}=${conditions[i]?.[name]}`);
    return {
      key: [dataset, ...values].join(','),
      title: [standIn ? `${dataset} (paper: ${group.title})` : group.title, ...values].join(', '),
      dataset: group.dataset,
      runs: sameCondition,
      scaled: [
        ...(standIn ? [`${dataset} stands in for ${group.title}`] : []),
        ...new Set(sameCondition.flatMap(({ scaled }) => scaled)),
      ],
    };
  });
}

/** Everything that makes two runs of a data set different measurements, by its name in the experiment file. */
function condition(run: Run): Record<string, string> {
  const settings = Object.entries(run.settings).flatMap(([block, values]) =>
    Object.entries(values).map(([name, value]) => [`${block}.${name}`, text(value)] as const),
  );
  const { 'zoo.seed': _, ...rest } = Object.fromEntries(settings);
  return { architecture: run.architecture, ...rest };
}

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
