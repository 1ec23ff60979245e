/** `exp show <run>`. */
import { asText } from '../../experiment/grid.ts';
import { stagesByRun } from '../../experiment/run-names.ts';
import { formatBytes } from '../../report/page/format.ts';
import { keptPlans } from '../../runner/plans.ts';
import { ProgressReader } from '../../runner/progress.ts';
import { formatDuration } from '../../runner/reporters/format.ts';
import type { Request } from '../arguments.ts';
import { recordsOf } from '../best-record.ts';
import { inColumns } from '../columns.ts';
import { findKeptRun } from '../kept-runs.ts';
import { findStore } from '../option-values.ts';
import { print, printJson, style } from '../output.ts';

/** Returns the exit code. */
export async function showCommand(request: Request): Promise<number> {
  const store = findStore(request);
  const { plan, ...run } = findKeptRun(request.positionals[0] as string, await keptPlans(store));
  const reader = new ProgressReader(store);
  const state = reader.ofRuns(plan).get(run.id)?.state ?? 'to compute';
  const stages = stagesByRun(plan)(run).map((node) => ({ node, progress: reader.ofStage(node) }));
  const records = await recordsOf(store, run.task, run.resultKey);
  if (request.switches.has('json')) {
    const shown = stages.map(({ node: { stage, key, label }, progress }) => ({
      stage,
      key,
      label,
      ...progress,
    }));
    printJson({ event: 'run', experiment: plan.name, state, ...run, stages: shown, records });
    return 0;
  }
  print(`${style('bold', `${plan.name}/${run.id}`)}  ${state}\n${run.resultKey}\n\n`);
  print(
    inColumns(
      ['axis', 'value'],
      Object.entries(run.axes).map(([axis, value]) => [axis, asText(value)]),
    ),
  );
  if (run.differences.length > 0) {
    const rows = run.differences.map(({ setting, value, paper }) => [setting, asText(value), asText(paper)]);
    print(`\n${inColumns(['setting', 'here', 'paper'], rows)}`);
  }
  const rows = stages.map(({ node, progress: { state, seconds, bytes } }) => [
    ...[node.label, node.key, state],
    ...(state === 'done' ? [formatDuration(seconds), formatBytes(bytes)] : ['', '']),
  ]);
  print(`\n${inColumns(['stage', 'key', 'state', 'time', 'size'], rows)}`);
  if (records.length > 0) {
    const names = [...new Set(records.flatMap(({ labels }) => Object.keys(labels)))];
    const rows = records.map(({ metric, labels, value }) => [
      metric,
      ...names.map((name) => String(labels[name] ?? '')),
      String(Number(value.toPrecision(6))),
    ]);
    print(`\n${inColumns(['metric', ...names, 'value'], rows)}`);
  }
  return 0;
}
