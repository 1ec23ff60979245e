/** How long stages will take, and how much room: from similar finished ones in the store, or else a guess. */
import { availableParallelism } from 'node:os';
import type { Planned } from '../experiment/stage-plan.ts';
import type { Plan, StageNode } from '../experiment/types.ts';
import { stages as kinds } from '../stages/registry.ts';
import type { Store } from './store.ts';
import type { StageState } from './survey.ts';
import { workload } from './workload.ts';

export interface Estimate {
  seconds: number;
  /** How many finished stages it is estimated from; 0: guessed from its operations. */
  from: number;
  /** Seconds from now on until it ends at the earliest: its inputs, and it, one after the other. */
  end: number;
}

export interface PlanEstimate {
  /** By key, for the stages to compute that have an estimate. */
  stages: Map<string, Estimate>;
  /** Seconds until all is done with so many jobs at once; undefined if a stage has no estimate. */
  total: number | undefined;
  /** Bytes that the artefacts to compute take, those that have an estimate. */
  bytes: number;
}

/**
 * Operations a second of one core that stages are guessed by: in SANE and zoos of small networks 27 thousand million were measured on a
 * Zen 3, 48 on a Zen 4. Fewer on devices without a compiler, many more on a GPU.
 */
const operationsPerSecond = 30e9;

/** The workload of a stage of which none was timed, which is not looked at: a plan may have a hundred thousand of them. */
const nothing = { kind: '', amount: 0 };

/** Seconds of a job besides: its process starts, reads its inputs and writes what it made. */
const startSeconds = 0.4;

/**
 * Estimates what is to compute: median seconds per amount of the finished stages of the same kind of work or, where none was timed in this store,
 * from its operations on these cores, by default this machine's, which the workers share.
 */
export function estimatePlan(
  plan: Plan,
  states: ReadonlyMap<string, StageState>,
  store: Store,
  workers: number,
  cores = availableParallelism(),
): PlanEstimate {
  const todo = plan.stages.filter(({ key }) => states.get(key)?.state === 'compute');
  const rates = measureRates(store, [...new Set(todo.map(({ stage }) => stage))]);
  const nodes = new Map<string, StageNode>();
  for (const node of plan.stages) nodes.set(node.key, node);
  const planned = plannedIn(nodes);
  const stages = new Map<string, Estimate>();
  const time = new Time(workers);
  let bytes = 0;
  const coresOfJob = Math.max(1, cores / workers);
  for (const node of todo) {
    const timed = rates.get(node.stage);
    const { kind, amount } = timed ? workload(node, (key) => nodes.get(key) as StageNode) : nothing;
    const known = timed?.get(kind);
    const cost = kinds[node.stage]?.cost?.(planned(node));
    bytes += cost?.bytes ?? 0;
    const work = cost && startSeconds * node.parts + cost.operations / operationsPerSecond / coresOfJob;
    const seconds = known ? median(known) * amount : work;
    if (seconds === undefined) continue;
    const estimate = { seconds, from: known?.length ?? 0, end: time.add(node, seconds, stages) };
    stages.set(node.key, estimate);
  }
  return { stages, total: stages.size === todo.length ? time.total : undefined, bytes };
}

/** Stages as their costs are estimated from. */
function plannedIn(nodes: ReadonlyMap<string, StageNode>): (node: StageNode) => Planned {
  /** By their names the inputs that were asked for last: one zoo after another has thousands of readers. */
  const latest = new Map<string, { node: StageNode; planned: Planned }>();
  const planned = (node: StageNode): Planned => ({
    config: node.config,
    options: node.options,
    input(name) {
      const found = nodes.get(node.inputs[name] ?? '');
      if (!found) return undefined;
      const known = latest.get(name);
      if (known?.node === found) return known.planned;
      const made = planned(found);
      latest.set(name, { node: found, planned: made });
      return made;
    },
  });
  return planned;
}

/** Seconds per amount of finished stages that were not interrupted, by stage and kind. */
function measureRates(store: Store, stages: readonly string[]): Map<string, Map<string, number[]>> {
  const rates = new Map<string, Map<string, number[]>>();
  for (const found of store.list(stages)) {
    if (found.state !== 'complete' || found.record.timing.resumed) continue;
    const { stage, workload, timing } = found.record;
    const ofStage = rates.get(stage) ?? new Map<string, number[]>();
    rates.set(stage, ofStage);
    ofStage.set(workload.kind, [...(ofStage.get(workload.kind) ?? []), timing.seconds / workload.amount]);
  }
  return rates;
}

/** Adds up the time of stages, inputs before their readers. */
class Time {
  private sum = 0;
  private last = 0;

  constructor(private readonly workers: number) {}

  /** Adds a stage of so many seconds; those before it are in `stages`. Returns when it ends at the earliest. */
  add({ inputs, parts }: StageNode, seconds: number, stages: ReadonlyMap<string, Estimate>): number {
    let start = 0;
    for (const name in inputs) start = Math.max(start, stages.get(inputs[name] as string)?.end ?? 0);
    const end = start + seconds / Math.min(parts, this.workers);
    this.last = Math.max(this.last, end);
    this.sum += seconds;
    return end;
  }

  /** At least the longest chain of stages, and at least all work divided by the workers. */
  get total(): number {
    return Math.max(this.sum / this.workers, this.last);
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}
