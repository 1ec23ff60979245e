/** How far the runs of a plan are, from what a store has now. Reads no results. */
import { stagesByRun } from '../experiment/run-names.ts';
import type { Plan, Run, StageNode } from '../experiment/types.ts';
import { heldLease } from './parts.ts';
import type { Store } from './store.ts';

export type RunState = 'done' | 'running' | 'queued' | 'failed' | 'damaged' | 'interrupted' | 'to compute';

/** One stage in the store. */
export interface StageProgress {
  state: RunState;
  /** Of a finished one; else 0. */
  seconds: number;
  bytes: number;
  finishedAt: string | null;
}

export interface RunProgress extends StageProgress {
  /** Finished stages, of how many. */
  finished: number;
  stages: number;
}

/** Looks at each stage once. */
export class ProgressReader {
  private readonly known = new Map<string, StageProgress>();

  /** `queued`: keys of the stages that jobs in the queue of a cluster compute. */
  constructor(
    private readonly store: Store,
    private readonly queued: ReadonlySet<string> = new Set(),
  ) {}

  ofStage(node: StageNode): StageProgress {
    const known = this.known.get(node.key);
    if (known) return known;
    const found = this.look(node);
    this.known.set(node.key, found);
    return found;
  }

  private look(node: StageNode): StageProgress {
    const { store } = this;
    const found = store.find(node);
    if (found?.state === 'complete') {
      const { timing, files } = found.record;
      const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
      return { state: 'done', seconds: timing.seconds, bytes, finishedAt: timing.finishedAt };
    }
    const none = { seconds: 0, bytes: 0, finishedAt: null };
    if (heldLease(store, node)) return { state: 'running', ...none };
    if (this.queued.has(node.key)) return { state: 'queued', ...none };
    if (found) return { state: 'damaged', ...none };
    if (store.failure(node)) return { state: 'failed', ...none };
    return { state: store.isBegun(node) ? 'interrupted' : 'to compute', ...none };
  }

  /** The state of each run, with the time and size of all that it needs; what runs share counts for each. */
  ofRuns(plan: Plan): Map<string, RunProgress> {
    const stagesOf = stagesByRun(plan);
    return new Map(plan.runs.map((run) => [run.id, this.ofRun(run, stagesOf(run))]));
  }

  private ofRun({ resultKey }: Run, nodes: readonly StageNode[]): RunProgress {
    const all = nodes.map((node) => this.ofStage(node));
    const result = all[nodes.findIndex(({ key }) => key === resultKey)];
    // What a finished run was computed from may be gone, and is not needed.
    const order: RunState[] = ['running', 'queued', 'failed', 'damaged', 'interrupted'];
    const state =
      result?.state === 'done'
        ? 'done'
        : (order.find((one) => all.some((stage) => stage.state === one)) ?? 'to compute');
    return {
      ...{ state, ...this.sum(all), finishedAt: result?.finishedAt ?? null },
      finished: all.filter((stage) => stage.state === 'done').length,
      stages: all.length,
    };
  }

  /** Time and size of stages, each once. */
  sum(all: readonly StageProgress[]): Pick<StageProgress, 'seconds' | 'bytes'> {
    return {
      seconds: all.reduce((sum, { seconds }) => sum + seconds, 0),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }
}
