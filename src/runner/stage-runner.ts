/** Computes single stages: waits for their inputs, takes their lease, runs their jobs, records their failure. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeOwner, isHeld, isHeldElsewhere, Lease } from '../base/lease.ts';
import type { StageNode } from '../experiment/types.ts';
import { stages } from '../stages/registry.ts';
import type { Gpu } from '../tensor/devices/registry.ts';
import type { Reporter, RunnerEvent, SkipReason } from './events.ts';
import { Gpus, type HeldGpu } from './gpus.ts';
import { type JobOutcome, runJob } from './job.ts';
import { takeWork } from './partial.ts';
import { gatherParts, heldLease, heldPart } from './parts.ts';
import { Slots } from './slots.ts';
import type { Failure, Store } from './store.ts';
import { workload } from './workload.ts';

const leasePollMs = 300;

export interface ExecuteOptions {
  store: Store;
  reporter: Reporter;
  /** How many jobs run at once; on GPUs, one that uses no device may run beside them. */
  workers: number;
  device: string;
  /** The GPUs that jobs are pinned to, one for each job; none on a CPU. */
  gpus: readonly Gpu[];
  /** Where the leases of GPUs are kept, if not in the folder that all runners share. */
  gpuLeases?: string;
  /** Processor cores, which the jobs share. */
  cores: number;
  stagesModule: string;
  dataDir: string | undefined;
  /** Whether the first failure stops everything. */
  failFast: boolean;
  /** Seconds that stages are expected to take, by key; those without take little. */
  expected?: ReadonlyMap<string, number>;
  /** Stops everything: workers are terminated, and what is finished is kept. */
  signal: AbortSignal;
}

export type StageOutcome =
  | { state: 'done' }
  | { state: 'failed'; failure: Failure }
  /** Not computed, because everything was stopped. */
  | { state: 'stopped' };

/** How many jobs the stage is divided into, including the last, which combines the parts. */
export const jobCount = ({ parts }: StageNode) => (parts > 1 ? parts + 1 : 1);

const usesDevice = ({ stage }: StageNode) => stages[stage]?.usesDevice ?? true;

/** Jobs of a stage that is begun go before the beginning of another, so that few are half done. */
const begunPriority = Number.NEGATIVE_INFINITY;

interface Claim {
  lease: Lease;
  /** Folder that the stage works in. */
  dir: string;
  resumed: boolean;
}

/** The event that a stage is not computed here. */
export const stageSkipped = (node: StageNode, why: SkipReason, expectedSeconds: number): RunnerEvent => ({
  ...{ event: 'stage-skipped', label: node.label, jobs: jobCount(node), why, expectedSeconds },
});

/** Computes stages, as many jobs at once as the options allow. */
export class StageRunner {
  private readonly slots: Slots;
  /** Where stages that use no device work: beside the jobs on GPUs, one at a time, so that no GPU stands idle for them. */
  private readonly slotsWithoutDevice: Slots;
  private readonly gpus: Gpus | undefined;
  private readonly failed = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    private readonly options: ExecuteOptions,
    private readonly findNode: (key: string) => StageNode,
  ) {
    this.slots = new Slots(options.workers);
    const { gpus, workers, gpuLeases } = options;
    this.gpus = gpus.length > 0 ? new Gpus(gpus, workers, gpuLeases) : undefined;
    // On a CPU they take cores that other jobs would have.
    this.slotsWithoutDevice = this.gpus ? new Slots(1) : this.slots;
    this.signal = AbortSignal.any([options.signal, this.failed.signal]);
  }

  private slotsOf(node: StageNode): Slots {
    return usesDevice(node) ? this.slots : this.slotsWithoutDevice;
  }

  /**
   * Computes one part (0-based) of a divided stage whose inputs are there, in a folder of its own, and leaves what puts parts together to
   * whoever computes the whole.
   */
  async computePart(node: StageNode, part: number): Promise<StageOutcome> {
    return this.computeAs(node, part, 0, async (claim) => {
      const signal = AbortSignal.any([this.signal, claim.lease.lost]);
      const ended = await this.runInSlot(node, part, claim, signal, () => 0);
      if (ended === undefined) return { state: 'stopped' };
      return typeof ended === 'number' ? { state: 'done' } : { state: 'failed', failure: ended };
    });
  }

  /** Computes a stage as soon as its inputs are there. */
  async compute(node: StageNode, inputs: Promise<StageOutcome>[], priority: number): Promise<StageOutcome> {
    const missing = (await Promise.all(inputs)).find(({ state }) => state !== 'done');
    if (missing) {
      this.skip(node, missing.state === 'failed' ? 'one of its inputs failed' : 'stopped');
      return missing;
    }
    return this.computeAs(node, undefined, priority, (claim) => this.computeClaimed(node, claim));
  }

  /** Does the work under the lease of a stage, or of a part of it. */
  private async computeAs(
    node: StageNode,
    part: number | undefined,
    priority: number,
    work: (claim: Claim) => Promise<StageOutcome>,
  ): Promise<StageOutcome> {
    try {
      for (;;) {
        const claim = await this.claim(node, part, priority);
        if (!claim) return { state: this.signal.aborted ? 'stopped' : 'done' };
        const { lease } = claim;
        const outcome = await work(claim).finally(() => lease.release());
        if (outcome.state !== 'stopped' || this.signal.aborted || !lease.lost.aborted) return outcome;
        const text = `${node.label}: another process took it over, because this one stood still for too long`;
        this.report({ event: 'note', text });
      }
    } catch (error) {
      const failure = this.describeRefusal(node, part, error);
      this.report({ event: 'note', text: `${node.label}: ${failure.reason}` });
      return { state: 'failed', failure };
    }
  }

  /** The failure that the system's refusal to read or write the store is. Throws any other error on. */
  private describeRefusal(node: StageNode, part: number | undefined, error: unknown): Failure {
    const { store } = this.options;
    return { reason: store.refused(error).message, log: store.log(node, part) };
  }

  /** Takes the lease of a stage, after waiting for another runner if need be; undefined if it is finished then, or everything was stopped. */
  private async claim(
    node: StageNode,
    part: number | undefined,
    priority: number,
  ): Promise<Claim | undefined> {
    const { store } = this.options;
    const path = store.lease(node, part);
    mkdirSync(dirname(path), { recursive: true });
    for (let reported = false, elsewhere = false; ; ) {
      const answer = await this.slotsOf(node).use(priority, () => this.tryClaim(node, part, elsewhere));
      if (typeof answer === 'object') return answer;
      if (answer !== 'held') {
        this.skip(node, answer);
        return undefined;
      }
      if (!reported) {
        const text = `${node.label}: waiting, another process is computing it${describeOwner(heldLease(store, node) ?? path)}`;
        this.report({ event: 'note', text });
        reported = true;
      }
      elsewhere ||= isHeldElsewhere(path);
      await Bun.sleep(leasePollMs);
    }
  }

  /** `elsewhere`: another machine had the lease before. */
  private async tryClaim(
    node: StageNode,
    part: number | undefined,
    elsewhere: boolean,
  ): Promise<Claim | 'held' | SkipReason> {
    const { store } = this.options;
    if (this.signal.aborted) return 'stopped';
    // Whoever computes the whole stage computes its parts. Looked at once more with the lease, as the whole looks at its parts with its own.
    const heldWhole = () => part !== undefined && isHeld(store.lease(node));
    const lease = heldWhole() ? undefined : Lease.take(store.lease(node, part));
    if (!lease) return 'held';
    try {
      const found = await (elsewhere ? store.checkLate(node) : store.check(node));
      if (found?.state === 'complete') {
        lease.release();
        return 'computed by another process';
      }
      if (part === undefined ? heldPart(store, node) : heldWhole()) {
        lease.release();
        return 'held';
      }
      if (part !== undefined) return { lease, ...(await takeWork(store.partial(node, part))) };
      const begun = await store.begin(node);
      if (await gatherParts(store, node, begun.dir, lease)) begun.resumed = true;
      if (found) {
        const text = `${node.label} was damaged: ${found.damage}. It is set aside in ${found.dir}.damaged and computed again`;
        this.report({ event: 'note', text });
      }
      return { lease, ...begun };
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  private async computeClaimed(node: StageNode, claim: Claim): Promise<StageOutcome> {
    const { store } = this.options;
    const { lease } = claim;
    const signal = AbortSignal.any([this.signal, lease.lost]);
    let seconds = 0;
    let failure: Failure | undefined;
    const run = async (part: number | undefined) => {
      // Once a part has failed, the others need not start.
      const begin = () => (failure ? undefined : seconds);
      const ended = await this.runInSlot(node, part, claim, signal, begin);
      if (typeof ended === 'number') seconds += ended;
      else failure ??= ended;
    };
    if (node.parts > 1) await Promise.all(Array.from({ length: node.parts }, (_, part) => run(part)));
    await run(undefined);
    // A worker can die just after it finished its artefact: what counts is whether that is there.
    if (store.find(node)?.state === 'complete') return { state: 'done' };
    if (!failure) return { state: 'stopped' };
    if (this.options.failFast) this.failed.abort();
    return { state: 'failed', failure };
  }

  /**
   * Runs a job as soon as there is room. Returns the seconds that it took, or its failure, which is recorded where it would last; undefined
   * where it was stopped, or need not start: `begin` says when its turn comes how many seconds earlier jobs of the stage took, or nothing.
   */
  private runInSlot(
    node: StageNode,
    part: number | undefined,
    claim: Claim,
    signal: AbortSignal,
    begin: () => number | undefined,
  ): Promise<number | Failure | undefined> {
    const { store } = this.options;
    return this.slotsOf(node).use(begunPriority, async () => {
      const earlierSeconds = signal.aborted ? undefined : begin();
      if (earlierSeconds === undefined) return undefined;
      const held = await this.takeGpu(node, signal);
      if (held === 'stopped') return undefined;
      let failure: Failure | undefined;
      try {
        const outcome = await this.runJob(node, part, claim, held, { signal, earlierSeconds });
        if (outcome.state !== 'failed') return outcome.state === 'done' ? outcome.seconds : undefined;
        failure = { reason: outcome.reason, log: store.log(node, part) };
        // Stages without inputs read disks and networks: they may succeed the next time.
        if (outcome.lasting && Object.keys(node.inputs).length > 0) await store.recordFailure(node, failure);
        return failure;
      } catch (error) {
        return failure ?? this.describeRefusal(node, part, error);
      } finally {
        held?.lease.release();
      }
    });
  }

  /** A free GPU, as soon as there is one; undefined on a CPU, and for a stage that uses no device. */
  private async takeGpu(node: StageNode, signal: AbortSignal): Promise<HeldGpu | 'stopped' | undefined> {
    if (!this.gpus || !usesDevice(node)) return undefined;
    const wait = () => this.report({ event: 'note', text: `${node.label}: waiting for a free GPU` });
    return (await this.gpus.wait(wait, signal)) ?? 'stopped';
  }

  private async runJob(
    node: StageNode,
    part: number | undefined,
    { lease, dir, resumed }: Claim,
    held: HeldGpu | undefined,
    { signal, earlierSeconds }: { signal: AbortSignal; earlierSeconds: number },
  ): Promise<JobOutcome> {
    const { store, device, cores, stagesModule, dataDir } = this.options;
    const name = {
      job: part === undefined ? node.key : `${node.key}-part-${part + 1}`,
      label: part === undefined ? node.label : `${node.label} part ${part + 1}/${node.parts}`,
    };
    const log = store.log(node, part);
    // What puts parts together takes little.
    const expected = part === undefined && node.parts > 1 ? 0 : this.expected(node) / node.parts;
    this.report({ event: 'job-start', ...name, expectedSeconds: expected });
    let outcome = await runJob(
      {
        node,
        workload: workload(node, this.findNode),
        part,
        inputs: this.inputFolders(node),
        storeRoot: store.root,
        dir,
        leases: [lease, ...(held ? [held.lease] : [])].map(({ name }) => name),
        stagesModule,
        dataDir,
        device,
        gpu: held?.gpu.name,
        // Cores that no other job waits for go to this one; those of a job that finishes later are not passed on.
        threads: Math.max(1, Math.floor(cores / this.slotsOf(node).wanted)),
        ...{ earlierSeconds, resumed },
      },
      {
        env: held?.gpu.env,
        log,
        signal,
        onProgress: (progress) => this.report({ event: 'job-progress', ...name, progress }),
      },
    );
    // What failed without the lease did so because of that.
    if (outcome.state === 'failed' && !lease.check()) outcome = { state: 'stopped' };
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

  private skip(node: StageNode, why: SkipReason): void {
    this.report(stageSkipped(node, why, this.expected(node)));
  }

  private expected({ key }: StageNode): number {
    return this.options.expected?.get(key) ?? 0;
  }

  private report(event: RunnerEvent): void {
    this.options.reporter.report(event);
  }
}
