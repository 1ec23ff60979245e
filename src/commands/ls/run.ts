/** `exp ls [experiment]`: what a store has. */
import { existsSync } from 'node:fs';
import { plural } from '../../base/plural.ts';
import { shortKeys } from '../../experiment/run-names.ts';
import type { Plan, Run } from '../../experiment/types.ts';
import { formatBytes } from '../../report/page/format.ts';
import { launchers } from '../../runner/launchers/registry.ts';
import { fileOf, type KeptPlan, keptPlans } from '../../runner/plans.ts';
import { ProgressReader, type RunProgress, type RunState } from '../../runner/progress.ts';
import { formatDuration } from '../../runner/reporters/format.ts';
import type { Store } from '../../runner/store.ts';
import type { MetricRecord } from '../../stages/result.ts';
import type { Request } from '../arguments.ts';
import { bestOf, describeRecord, recordsOf } from '../best-record.ts';
import { inColumns } from '../columns.ts';
import { findExperiment } from '../kept-runs.ts';
import { findStore, loadPlan, openStore } from '../option-values.ts';
import { print, printJson } from '../output.ts';

/** Returns the exit code. */
export async function lsCommand(request: Request): Promise<number> {
  const json = request.switches.has('json');
  const [name] = request.positionals;
  if (name === undefined) {
    const store = findStore(request);
    return listExperiments(store, await keptPlans(store), json);
  }
  if (/\.ya?ml$/.test(name)) return listRuns(await loadPlan(request), openStore(request), json);
  const store = findStore(request);
  return listRuns(findExperiment(name, await keptPlans(store)), store, json);
}

/** Keys of all stages whose jobs are in a queue. */
async function queuedStages(store: Store): Promise<Set<string>> {
  const all = await Promise.all(Object.values(launchers).map(({ load }) => load()));
  const found = await Promise.all(all.map(({ queued }) => queued?.(store) ?? []));
  return new Set(found.flatMap((keys) => [...keys]));
}

async function listExperiments(store: Store, plans: readonly KeptPlan[], json: boolean): Promise<0> {
  const reader = new ProgressReader(store, await queuedStages(store));
  const row = async (plan: KeptPlan) => {
    const runs = [...reader.ofRuns(plan).values()];
    const count = (state: RunState) => runs.filter((run) => run.state === state).length;
    const total = reader.sum(plan.stages.map((node) => reader.ofStage(node)));
    const records = plan.runs.map((run) => recordsOf(store, run.task, run.resultKey));
    const best = bestOf((await Promise.all(records)).flat());
    const file = plan.origin && fileOf(store, plan.origin);
    const states = ['running', 'queued', 'failed', 'damaged', 'interrupted', 'to compute'] as const;
    const rest = states.flatMap((state) => (count(state) > 0 ? [`${count(state)} ${state}`] : []));
    return { plan, file, runs: runs.length, done: count('done'), rest, ...total, best };
  };
  const rows = await Promise.all(plans.map(row));
  if (json) {
    for (const { plan, rest: _, ...row } of rows)
      printJson({ event: 'experiment', id: plan.id, name: plan.name, origin: plan.origin, ...row });
    return 0;
  }
  if (rows.length === 0) {
    print(`${store.root}: no experiment was run yet`);
    return 0;
  }
  const changes = ({ origin }: KeptPlan) =>
    Object.entries({ ...origin?.set, ...origin?.only }).map(([key, value]) => ` ${key}=${value}`);
  const text = rows.map(({ plan, file, runs, done, rest, seconds, bytes, best }) => [
    plan.id,
    `${done} of ${runs} done${rest.length > 0 ? `, ${rest.join(', ')}` : ''}`,
    formatDuration(seconds),
    formatBytes(bytes),
    best ? describeRecord(best) : '',
    `${file ?? 'of an earlier version'}${file && !existsSync(file) ? ' (gone)' : ''}${changes(plan).join('')}`,
  ]);
  print(`${store.root}: ${plural(rows.length, 'experiment')}\n\n`);
  print(inColumns(['experiment', 'runs', 'time', 'size', 'best', 'file'], text));
  return 0;
}

async function listRuns(plan: Plan, store: Store, json: boolean): Promise<0> {
  const reader = new ProgressReader(store, await queuedStages(store));
  const progress = reader.ofRuns(plan);
  const short = shortKeys(plan.runs.map(({ resultKey }) => resultKey));
  const row = async (run: Run): Promise<[Run, RunProgress, MetricRecord | undefined]> => [
    ...([run, progress.get(run.id) as RunProgress] as const),
    bestOf(await recordsOf(store, run.task, run.resultKey)),
  ];
  const rows = await Promise.all(plan.runs.map(row));
  if (json) {
    for (const [{ id, axes, resultKey }, found, best] of rows)
      printJson({ event: 'run', id: short(resultKey), run: id, axes, resultKey, ...found, best });
    return 0;
  }
  const done = rows.filter(([, { state }]) => state === 'done').length;
  const { seconds, bytes } = reader.sum(plan.stages.map((node) => reader.ofStage(node)));
  print(
    `${plan.name}: ${done} of ${plural(rows.length, 'run')} done, ${formatDuration(seconds)}, ${formatBytes(bytes)}\n\n`,
  );
  const text = rows.map(([run, { state, finished, stages, seconds, bytes }, best]) => [
    ...[short(run.resultKey), run.id, state, `${finished} of ${stages}`],
    ...[formatDuration(seconds), formatBytes(bytes), best ? describeRecord(best) : ''],
  ]);
  print(inColumns(['id', 'run', 'state', 'stages', 'time', 'size', 'best'], text));
  return 0;
}
