/** Pivots that nobody has to ask for: of settings that vary and that no table of the paper has a place for, and of runs that are in no table. */
import type { Plan, Run } from '../experiment/types.ts';
import type { TableDefinition } from './definition.ts';
import { groupRuns, immaterial, type RunGroup, text } from './groups.ts';
import type { RunResults } from './measure.ts';
import { describeMetric } from './metrics.ts';
import type { PivotRequest } from './pivot.ts';

const seeds = new Set(['zoo.seed']);

/** One for each metric of the runs of a task. `asked` are the pivots of the experiment, which need not be repeated. */
export function findSweeps(
  { runs }: Plan,
  definitions: readonly TableDefinition[],
  asked: readonly PivotRequest[],
  results: RunResults,
): PivotRequest[] {
  const groups = definitions.flatMap((definition) => groupRuns(definition, [...runs]));
  const held = new Set(groups.flatMap(({ runs }) => runs));
  const shown = new Set(asked.flatMap(({ rows, columns }) => [...rows, ...columns]));
  const byTask = Map.groupBy(runs, ({ task }) => task);
  return [...byTask.values()].flatMap((ofTask) => {
    const unplaced = ofTask.filter((run) => !held.has(run));
    const ofGroups = groups.filter((group) => group.runs.some((run) => ofTask.includes(run)));
    const swept = new Set([...ofGroups.flatMap(sweptIn), ...varyingAxes(unplaced)]);
    const wanted = varyingAxes(ofTask).filter((name) => swept.has(name) && !shown.has(name));
    return metricsOf(ofTask, results).flatMap(({ metric, labels }): PivotRequest[] => {
      const isAsked = asked.some((request) => request.metric === metric);
      if (wanted.length === 0 && (unplaced.length === 0 || isAsked)) return [];
      return [shape(metric, wanted, labels)];
    });
  });
}

/** Axes that split the runs of a data set in groups of a table. */
export const sweptIn = ({ varying, runs }: RunGroup): string[] =>
  varying.filter((name) => name.includes('.') && runs.some(({ axes }) => name in axes));

/** Settings that are axes with more than one value among these runs, in the order of the file. */
export function varyingAxes(runs: readonly Run[]): string[] {
  const names = new Set(runs.flatMap(({ axes }) => Object.keys(axes)));
  return [...names].filter(
    (name) =>
      name.includes('.') &&
      !seeds.has(name) &&
      !immaterial.has(name) &&
      new Set(runs.map(({ axes }) => text(axes[name] ?? null))).size > 1,
  );
}

/** The metrics of finished runs that need no request, each with the labels that vary within its test split. */
function metricsOf(runs: readonly Run[], results: RunResults): { metric: string; labels: string[] }[] {
  const records = runs.flatMap(({ id }) => {
    const result = results.get(id);
    const own = result?.status === 'done' ? result.records : [];
    return own.filter(({ metric }) => !describeMetric(metric).onRequest);
  });
  return [...Map.groupBy(records, ({ metric }) => metric)].map(([metric, of]) => {
    const names = new Set(of.flatMap(({ labels }) => Object.keys(labels)));
    names.delete('split');
    const labels = [...names].filter((name) => new Set(of.map(({ labels }) => labels[name])).size > 1);
    return { metric, labels };
  });
}

/** The first two settings are rows and columns; where there are fewer, labels take their places. */
function shape(metric: string, swept: readonly string[], labels: readonly string[]): PivotRequest {
  const [row, column] = swept;
  if (row === undefined) {
    const [across, ...down] = labels;
    // With one label, or none, there is nothing to set side by side.
    const rows = down.length > 0 ? down.slice(0, 1) : [across ?? 'dataset'];
    return { metric, rows, columns: down.length > 0 ? [across as string] : [], where: {} };
  }
  const columns = column === undefined ? labels.slice(0, 1) : [column];
  return { metric, rows: [row], columns, where: {}, skipConstant: true };
}
