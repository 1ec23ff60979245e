/** Executes what is to be computed of a plan: stages in the order of their inputs, jobs side by side, each in a process. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Plan, StageNode } from '../experiment/types.ts';
import type { Reporter, RunnerEvent } from './events.ts';
import { type JobOutcome, runJob } from './job.ts';
import { checkLeases, Lease, leaseOwner } from './lease.ts';
import type { JobSpec } from './protocol.ts';
import { Slots } from './slots.ts';
import type { Failure, Store } from './store.ts';
import type { StageState } from './survey.ts';
import { workload } from './workload.ts';

const leasePollMs = 300;

export interface SchedulerOptions {
  store: Store;
  reporter: Reporter;
  /** Jobs at once. */
  workers: number;
  device: string;
  /** Threads that each job may use. */
  threads: number;
  stagesModule: string;
  dataDir: string | undefined;
  /** Whether the first failure ends everything. */
  failFast: boolean;
  /** Ends everything: workers are told to end, and what is finished stays. */
  signal: AbortSignal;
}

export type StageOutcome =
  | { state: 'done' }
  | { state: 'failed'; failure: Failure }
  /** Not reached, because everything was ended. */
  | { state: 'stopped' };

/**
 * Computes the stages whose state is `compute`. A stage that fails takes with it only those that need it. Returns every
 * stage's outcome by its key.
 */
export async function execute(
  plan: Plan,
  states: ReadonlyMap<string, StageState>,
  options: SchedulerOptions,
): Promise<Map<string, StageOutcome>> {
  const nodes = new Map(plan.stages.map((node) => [node.key, node]));
  const depth = new Map<string, number>();
  const pending = new Map<string, Promise<StageOutcome>>();
  const scheduler = new Scheduler(options, (key) => nodes.get(key) as StageNode);
  mkdirSync(options.store.root, { recursive: true });
  checkLeases(options.store.root);
  for (const node of plan.stages) {
    const inputs = Object.values(node.inputs);
    depth.set(node.key, Math.max(0, ...inputs.map((key) => (depth.get(key) as number) + 1)));
    const state = states.get(node.key);
    if (state?.state === 'compute') {
      const waits = inputs.map((key) => pending.get(key) as Promise<StageOutcome>);
      pending.set(node.key, scheduler.compute(node, waits, -(depth.get(node.key) as number)));
    } else {
      const outcome: StageOutcome = state?.state === 'failed' ? state : { state: 'done' };
      pending.set(node.key, Promise.resolve(outcome));
    }
  }
  const outcomes = await Promise.all(
    [...pending].map(async ([key, outcome]) => [key, await outcome] as const),
  );
  return new Map(outcomes);
}

/** How many jobs the stage is divided into, the one that puts it together included. */
export const jobCount = ({ parts }: StageNode) => (parts > 1 ? parts + 1 : 1);

/** Jobs of a stage that is begun go before the beginning of another, so that few are half done. */
const begunPriority = Number.NEGATIVE_INFINITY;

class Scheduler {
  private readonly slots: Slots;
  private readonly failed = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    private readonly options: SchedulerOptions,
    private readonly findNode: (key: string) => StageNode,
  ) {
    this.slots = new Slots(options.workers);
    this.signal = AbortSignal.any([options.signal, this.failed.signal]);
  }

  /** Computes a stage as soon as its inputs are there. */
  async compute(node: StageNode, inputs: Promise<StageOutcome>[], priority: number): Promise<StageOutcome> {
    const missing = (await Promise.all(inputs)).find(({ state }) => state !== 'done');
    if (missing) {
      this.skip(node, missing.state === 'failed' ? 'a stage that it needs failed' : 'everything was ended');
      return missing;
    }
    const lease = await this.claim(node, priority);
    if (!lease) return { state: this.signal.aborted ? 'stopped' : 'done' };
    try {
      return await this.computeClaimed(node, lease);
    } finally {
      lease.release();
    }
  }

  /** Takes the stage's lease, after another runner's if need be; undefined if the stage is finished then, or all is ended. */
  private async claim(node: StageNode, priority: number): Promise<Lease | undefined> {
    const { store } = this.options;
    const path = store.lease(node);
    mkdirSync(dirname(path), { recursive: true });
    for (let told = false; ; ) {
      const lease = await this.slots.use(priority, async () =>
        this.signal.aborted ? undefined : Lease.take(path),
      );
      if (lease && store.find(node)?.state !== 'complete') return lease;
      if (lease || this.signal.aborted) {
        lease?.release();
        this.skip(node, lease ? 'another runner computed it' : 'everything was ended');
        return undefined;
      }
      if (!told) {
        const owner = leaseOwner(path);
        const who = owner ? ` (process ${owner.pid} on ${owner.host})` : '';
        this.report({ event: 'note', text: `${node.label}: another runner computes it${who}, waiting` });
        told = true;
      }
      await Bun.sleep(leasePollMs);
    }
  }

  private async computeClaimed(node: StageNode, lease: Lease): Promise<StageOutcome> {
    const { store } = this.options;
    const { resumed } = await store.begin(node);
    await store.forgetFailure(node);
    let seconds = 0;
    let failure: Failure | undefined;
    const run = (part: number | undefined) =>
      this.slots.use(begunPriority, async () => {
        // Once a part has failed, or everything is ended, the others need not start.
        if (failure || this.signal.aborted) return;
        const outcome = await this.runJob(node, part, lease, { earlierSeconds: seconds, resumed });
        if (outcome.state === 'done') seconds += outcome.seconds;
        if (outcome.state === 'failed') {
          failure = { reason: outcome.reason, log: store.log(node, part) };
          // Stages without inputs read disks and networks: that they failed says nothing of the next time.
          if (outcome.lasting && Object.keys(node.inputs).length > 0)
            await store.recordFailure(node, failure);
        }
      });
    if (node.parts > 1) await Promise.all(Array.from({ length: node.parts }, (_, part) => run(part)));
    await run(undefined);
    // A worker can die just after it finished its artefact: what counts is whether that is there.
    if (store.find(node)?.state === 'complete') return { state: 'done' };
    if (!failure) return { state: 'stopped' };
    if (this.options.failFast) this.failed.abort();
    return { state: 'failed', failure };
  }

  private async runJob(
    node: StageNode,
    part: number | undefined,
    lease: Lease,
    stage: Pick<JobSpec, 'earlierSeconds' | 'resumed'>,
  ): Promise<JobOutcome> {
    const { store, device, threads, stagesModule, dataDir } = this.options;
    const name = {
      job: part === undefined ? node.key : `${node.key}-part-${part + 1}`,
      label: part === undefined ? node.label : `${node.label} part ${part + 1}/${node.parts}`,
    };
    const log = store.log(node, part);
    this.report({ event: 'job-start', ...name });
    const outcome = await runJob(
      {
        node,
        workload: workload(node, this.findNode),
        part,
        inputs: this.inputFolders(node),
        storeRoot: store.root,
        stagesModule,
        dataDir,
        device,
        threads,
        ...stage,
      },
      {
        leaseFd: lease.fd,
        log,
        signal: this.signal,
        onProgress: (progress) => this.report({ event: 'job-progress', ...name, progress }),
      },
    );
    if (outcome.state === 'done') this.report({ event: 'job-done', ...name, seconds: outcome.seconds });
    if (outcome.state === 'failed')
      this.report({ event: 'job-failed', ...name, reason: outcome.reason, log });
    if (outcome.state === 'stopped') this.report({ event: 'job-stopped', ...name });
    return outcome;
  }

  private inputFolders({ inputs }: StageNode): Record<string, string> {
    const folders = Object.entries(inputs).map(([name, key]) => [
      name,
      this.options.store.folder(this.findNode(key)),
    ]);
    return Object.fromEntries(folders);
  }

  private skip(node: StageNode, why: string): void {
    this.report({ event: 'stage-skipped', label: node.label, jobs: jobCount(node), why });
  }

  private report(event: RunnerEvent): void {
    this.options.reporter.report(event);
  }
}
