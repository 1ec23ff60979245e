/** `--dry-run`: what would be computed, why, and about how long that takes. */
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { plural } from '../../base/plural.ts';
import type { Plan, Run, StageNode } from '../../experiment/types.ts';
import { formatBytes } from '../../report/page/format.ts';
import { type Estimate, estimatePlan } from '../../runner/estimate.ts';
import { formatDuration } from '../../runner/reporters/format.ts';
import type { Store } from '../../runner/store.ts';
import type { StageState } from '../../runner/survey.ts';
import { print, printJson, style } from '../output.ts';

/** Longer lists are cut and counted. */
const shownRuns = 40;
const shownStages = 40;

/** Prints every stage and run of the plan. Returns the exit code. */
export function dryRun(
  plan: Plan,
  states: ReadonlyMap<string, StageState>,
  store: Store,
  { jobs, json }: { jobs: number; json: boolean },
): 0 {
  const estimate = estimatePlan(plan, states, store, jobs);
  if (json) printEvents(plan, states, estimate);
  else print(describe(plan, states, estimate, jobs, store));
  return 0;
}

type PlanEstimate = ReturnType<typeof estimatePlan>;

function printEvents(plan: Plan, states: ReadonlyMap<string, StageState>, estimate: PlanEstimate): void {
  for (const { stage, key, label } of plan.stages) {
    const expectedSeconds = estimate.stages.get(key)?.seconds ?? null;
    printJson({ event: 'stage', stage, key, label, ...states.get(key), expectedSeconds });
  }
  for (const { id, resultKey, differences } of plan.runs) {
    printJson({ event: 'run', id, state: states.get(resultKey)?.state, resultKey, differences });
  }
  const count = (state: StageState['state']) =>
    [...states.values()].filter((one) => one.state === state).length;
  const counts = {
    runs: plan.runs.length,
    stages: plan.stages.length,
    cached: count('cached'),
    compute: count('compute'),
  };
  printJson({
    event: 'plan',
    experiment: plan.name,
    ...counts,
    expectedSeconds: estimate.total ?? null,
    expectedBytes: estimate.bytes,
  });
}

function describe(
  plan: Plan,
  states: ReadonlyMap<string, StageState>,
  estimate: PlanEstimate,
  jobs: number,
  store: Store,
): string {
  const byState = Map.groupBy(plan.stages, ({ key }) => states.get(key)?.state);
  const stagesIn = (state: StageState['state']) => byState.get(state) ?? [];
  const todo = stagesIn('compute');
  const failed = stagesIn('failed');
  const counts = [
    `${stagesIn('cached').length} cached`,
    `${todo.length} to compute`,
    ...(failed.length > 0 ? [`${failed.length} failed before`] : []),
  ];
  const lines = [
    style(
      'bold',
      `${plan.name}: ${plural(plan.runs.length, 'run')}, ${plural(plan.stages.length, 'stage')}: ${counts.join(', ')}`,
    ),
  ];
  if (todo.length > 0) {
    const row = (node: StageNode) => stageRow(node, states.get(node.key), estimate.stages.get(node.key));
    lines.push(
      '',
      'Stages to compute',
      ...shorten(todo, row, shownStages, 'stages'),
      ...summary(estimate, jobs, store),
    );
  }
  if (failed.length > 0) {
    const row = (node: StageNode) => stageRow(node, states.get(node.key), undefined);
    const hint = 'Use --retry-failed to compute them again.';
    lines.push('', 'Stages that failed before', ...shorten(failed, row, shownStages, 'stages'), hint);
  }
  const row = ({ id, resultKey }: Run) => `  ${id}  ${runState(states.get(resultKey))}`;
  return [...lines, '', 'Runs', ...shorten(plan.runs, row, shownRuns, 'runs')].join('\n');
}

function stageRow(
  { label, key }: StageNode,
  state: StageState | undefined,
  estimate: Estimate | undefined,
): string {
  const reason =
    state?.state === 'compute' ? state.why : state?.state === 'failed' ? state.failure.reason : '';
  const time = estimate ? describeTime(estimate) : '';
  return `  ${label.padEnd(44)} ${style('dim', key)}  ${reason.split('\n')[0]}${time}`;
}

/** Less than a second, guessed, is not worth a word. */
function describeTime({ seconds, from }: Estimate): string {
  if (from > 0) return `  about ${formatDuration(seconds)} (from ${from} similar)`;
  return seconds < 1 ? '' : `  roughly ${formatDuration(seconds)}`;
}

/** Time and disk in all. */
function summary({ total, stages, bytes }: PlanEstimate, jobs: number, store: Store): string[] {
  let guessed = 0;
  for (const { from } of stages.values()) if (from === 0) guessed++;
  const source =
    guessed === stages.size
      ? 'from counts of operations, for the cores of this machine: no similar stage is finished in this store yet'
      : `of which ${plural(guessed, 'stage')} from counts of operations, as no similar one is finished`;
  const time =
    total === undefined
      ? 'No total: for some of them there is no estimate until a similar stage is finished.'
      : guessed > 0
        ? `Roughly ${formatDuration(total)} in total, with ${plural(jobs, 'job')} at a time (${source}).`
        : `About ${formatDuration(total)} in total, with ${plural(jobs, 'job')} at a time.`;
  const free = freeBytes(store.root);
  const room = free !== undefined && bytes > free ? `, and only ${formatBytes(free)} are free` : '';
  return [time, ...(bytes > 0 ? [`About ${formatBytes(bytes)} of disk in ${store.root}${room}.`] : [])];
}

/** What is free on the disk that a folder is or will be on; undefined where the system does not say. */
function freeBytes(folder: string): number | undefined {
  for (let path = folder; ; path = dirname(path)) {
    if (existsSync(path)) {
      const { bavail, bsize } = statfsSync(path);
      return bavail * bsize;
    }
    if (path === dirname(path)) return undefined;
  }
}

function runState(state: StageState | undefined): string {
  if (state?.state === 'cached') return style('green', 'done');
  return state?.state === 'failed' ? style('red', 'failed before') : 'to compute';
}

function shorten<Of>(all: readonly Of[], row: (one: Of) => string, limit: number, what: string): string[] {
  const rows = all.slice(0, limit).map(row);
  return all.length <= limit ? rows : [...rows, `  and ${all.length - limit} more ${what}`];
}
