/** How long stages will take, estimated from similar finished ones in the store. */
import type { Plan, StageNode } from '../experiment/types.ts';
import type { Store } from './store.ts';
import type { StageState } from './survey.ts';
import { workload } from './workload.ts';

export interface Estimate {
  seconds: number;
  /** How many finished stages it is estimated from. */
  from: number;
}

export interface PlanEstimate {
  /** By key, for the stages to compute that have similar finished ones. */
  stages: Map<string, Estimate>;
  /** Seconds until all is done with so many jobs at once; undefined if a stage has no estimate. */
  total: number | undefined;
}

/** Estimates what is to compute: median seconds per amount of the finished stages of the same kind of work. */
export function estimatePlan(
  plan: Plan,
  states: ReadonlyMap<string, StageState>,
  store: Store,
  workers: number,
): PlanEstimate {
  const todo = plan.stages.filter(({ key }) => states.get(key)?.state === 'compute');
  const rates = measureRates(store, [...new Set(todo.map(({ stage }) => stage))]);
  const nodes = new Map(plan.stages.map((node) => [node.key, node]));
  const stages = new Map<string, Estimate>();
  for (const node of todo) {
    const { kind, amount } = workload(node, (key) => nodes.get(key) as StageNode);
    const known = rates.get(kind);
    if (known) stages.set(node.key, { seconds: median(known) * amount, from: known.length });
  }
  return { stages, total: stages.size === todo.length ? totalSeconds(todo, stages, workers) : undefined };
}

/** Seconds per amount of finished stages that were not interrupted, by kind. */
function measureRates(store: Store, stages: Parameters<Store['list']>[0]): Map<string, number[]> {
  const rates = new Map<string, number[]>();
  for (const found of store.list(stages)) {
    if (found.state !== 'complete' || found.record.timing.resumed) continue;
    const { workload, timing } = found.record;
    rates.set(workload.kind, [...(rates.get(workload.kind) ?? []), timing.seconds / workload.amount]);
  }
  return rates;
}

/** At least the longest chain of stages, and at least all work divided by the workers. */
function totalSeconds(todo: StageNode[], stages: ReadonlyMap<string, Estimate>, workers: number): number {
  const finished = new Map<string, number>();
  let sum = 0;
  for (const { key, inputs, parts } of todo) {
    const seconds = stages.get(key)?.seconds ?? 0;
    const start = Math.max(0, ...Object.values(inputs).map((input) => finished.get(input) ?? 0));
    finished.set(key, start + seconds / Math.min(parts, workers));
    sum += seconds;
  }
  return Math.max(sum / workers, ...finished.values());
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}
