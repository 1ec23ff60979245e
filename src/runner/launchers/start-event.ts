/** The event that begins a launch: how much there is to do, and how long that is expected to take. */
import type { PlanEstimate } from '../estimate.ts';
import type { RunnerEvent } from '../events.ts';
import { jobCount } from '../stage-runner.ts';
import type { LaunchOptions } from './launcher.ts';

export function startEvent(
  { plan, states, store }: Pick<LaunchOptions, 'plan' | 'states' | 'store'>,
  { stages, total }: PlanEstimate,
  workers: number,
): RunnerEvent {
  const todo = plan.stages.filter(({ key }) => states.get(key)?.state === 'compute');
  const work = [...stages.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  return {
    event: 'start',
    experiment: plan.name,
    runs: plan.runs.length,
    jobs: todo.reduce((sum, node) => sum + jobCount(node), 0),
    workers,
    store: store.root,
    expectedSeconds: total ?? null,
    expectedWork: total === undefined ? null : work,
  };
}
