/** Submits the jobs of a plan: what has none, what a full queue did not take, and what was lost. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Lease } from '../../../base/lease.ts';
import { plural } from '../../../base/plural.ts';
import type { StageNode } from '../../../experiment/types.ts';
import type { PlanEstimate } from '../../estimate.ts';
import { LauncherError, type LaunchOptions } from '../launcher.ts';
import type { JobArray } from './arrays.ts';
import { submittedPlan } from './jobs.ts';
import { prepare } from './prepare.ts';
import { maxArraySize, Unavailable } from './queue.ts';
import type { LargestNodes } from './resources.ts';
import { logPath } from './script.ts';
import type { Submissions } from './submission.ts';
import { submitArrays } from './submit.ts';
import { takeSubmitLease } from './submit-lease.ts';
import type { Watch } from './watch.ts';

/** A stage that no job computes and that is not in the store is lost after this time: a shared file system may show it late. */
const lateMs = 10_000;
/** A stage whose jobs ended so often without a result is given up. */
const maxLosses = 3;
/** How long it is until jobs that a full queue refused are submitted again. */
const refusedMs = { first: 10_000, growth: 2, longest: 300_000 };

export class Submitter {
  private readonly losses = new Map<string, number>();
  /** Since when a stage has no job and no result. */
  private readonly missingSince = new Map<string, number>();
  /** Since the queue was full: the last wait, and until when it lasts. */
  private refused: { wait: number; again: number } | undefined;

  constructor(
    private readonly options: LaunchOptions,
    private readonly estimate: PlanEstimate,
    private readonly submissions: Submissions,
    private readonly watch: Watch,
    private readonly largest: LargestNodes,
  ) {}

  /** As `submitMissing`, after waiting for a process that submits. Throws a LauncherError where the arguments or the cluster refuse that. */
  async submitFirst(): Promise<number> {
    const { interrupt } = this.options;
    const lease = await takeSubmitLease(this.submissions.lease, interrupt, Number.POSITIVE_INFINITY);
    return lease ? this.submitWith(lease) : 0;
  }

  /**
   * Submits what no job computes: what never had one at once, what was lost after a while. Returns how many jobs there are more. What Slurm refuses
   * for good has failed.
   */
  async submitMissing(): Promise<number> {
    const { isDue, open } = this.missing();
    if (!isDue || (this.refused && Date.now() < this.refused.again)) return 0;
    // Another process that submits may submit the same: its jobs are in the queue soon.
    const lease = await Lease.takeFromDead(this.submissions.lease);
    if (!lease) return 0;
    try {
      return await this.submitWith(lease);
    } catch (error) {
      if (!(error instanceof LauncherError)) throw error;
      for (const node of open)
        if (!this.watch.isSettled(node)) this.watch.fail(node, error.message, this.submissions.folder);
      return 0;
    }
  }

  private async submitWith(lease: Lease): Promise<number> {
    let count = 0;
    try {
      await this.watch.list();
      this.watch.findDone();
      const { isDue, open, late } = this.missing();
      if (!isDue) return 0;
      for (const node of late) this.lose(node);
      count = await this.submit(open);
      for (const { key } of open) this.missingSince.delete(key);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      this.watch.noteOnce('unavailable', `Slurm does not answer; waiting (${error.message})`);
    } finally {
      lease.release();
    }
    return count;
  }

  /** Stages without a job and a result: whether one of them is to be submitted now, and which had a job a while ago. */
  private missing(): { isDue: boolean; open: StageNode[]; late: StageNode[] } {
    const now = Date.now();
    const { open } = this.watch;
    const keys = new Set(open.map(({ key }) => key));
    for (const key of this.missingSince.keys()) if (!keys.has(key)) this.missingSince.delete(key);
    for (const key of keys) if (!this.missingSince.has(key)) this.missingSince.set(key, now);
    for (const node of open) refresh(dirname(this.options.store.folder(node)));
    const hadJob = ({ key }: StageNode) => this.watch.lastJob(key) !== undefined;
    const late = open.filter(
      (node) => hadJob(node) && now - (this.missingSince.get(node.key) ?? now) >= lateMs,
    );
    return { isDue: late.length > 0 || !open.every(hadJob), open, late };
  }

  /** Counts that a job ended without a result. Where an input is missing, that is the reason. */
  private lose(node: StageNode): void {
    const { watch, submissions } = this;
    if (watch.inputsOf(node).some(({ key }) => !watch.isDone(key))) return;
    const failure = this.options.store.failure(node);
    if (failure) {
      watch.fail(node, failure.reason, failure.log);
      return;
    }
    const count = (this.losses.get(node.key) ?? 0) + 1;
    this.losses.set(node.key, count);
    const last = watch.lastJob(node.key);
    const log = last
      ? logPath(submissions.folderOf(last.number), last.array, last.index)
      : submissions.folder;
    const ended = 'its job ended without a result: cancelled, killed, or its node failed';
    // That may name users and machines, and reasons of failures are published.
    const printed = lastLine(log);
    if (count < maxLosses) {
      watch.note(`${node.label}: ${ended}; submitting it again${printed}`);
      return;
    }
    if (printed) watch.note(`${node.label}: its job printed last${printed}`);
    watch.fail(node, `${ended}, ${count} times`, log);
  }

  /** With the lease. Returns how many jobs are in the queue more; a full queue leaves the rest for later. */
  private async submit(open: readonly StageNode[], maxIndices?: number): Promise<number> {
    const { watch, options } = this;
    const { live } = watch;
    const nodes = open.filter((node) => !watch.isSettled(node) && !live.covers(node.key));
    if (nodes.length === 0 || watch.isCancelled) return 0;
    await forgetFailures(options.store, nodes);
    const { number, arrays, paths } = await prepare(options, this.submissions, nodes, {
      estimate: this.estimate,
      largest: this.largest,
      maxIndices: maxIndices ?? (await maxArraySize()),
      queued: (key) => live.of(key),
      queuedParts: (key) => live.partsOf(key),
    });
    const { ids, refusal } = await submitArrays(arrays, paths, () => watch.isCancelled);
    const plan = submittedPlan(options.planId, options.plan);
    const added = ids.flatMap((id, array) =>
      (arrays[array]?.jobs ?? []).map(({ tasks }, index) => ({
        ...{ id: `${id}_${index}`, name: '', state: '', reason: '', isOwn: true },
        ...{ number, array, index, tasks, plan },
      })),
    );
    watch.add(added);
    await watch.list().catch((error) => {
      if (!(error instanceof Unavailable)) throw error;
    });
    if (!refusal) {
      this.refused = undefined;
      return added.length;
    }
    // An array that Slurm says to have refused may be in the queue all the same.
    if (!live.all.some((job) => job.number === number)) this.submissions.remove(number);
    const [refused, ...more] = arrays.slice(ids.length) as [JobArray, ...JobArray[]];
    // It may be larger than what the queue has room for.
    if (refused.jobs.length > 1)
      return added.length + (await this.submit(open, Math.floor(refused.jobs.length / 2)));
    const rest = [refused, ...more].flatMap(({ jobs }) => jobs.flatMap(({ tasks }) => tasks));
    if (added.length > 0) this.refused = undefined;
    this.refuse(refusal, new Set(rest.map(({ key }) => key)).size);
    return added.length;
  }

  /** What a full queue did not take is planned anew after a while, by what is in the queue and in the store then. */
  private refuse({ message }: Unavailable, stages: number): void {
    const { first, growth, longest } = refusedMs;
    const wait = this.refused ? Math.min(this.refused.wait * growth, longest) : first;
    const none = this.watch.liveJobs === 0 ? ', not even one' : '';
    this.watch.noteOnce(
      `refused ${none}`,
      `Slurm takes no more jobs now${none} (${message}): ${plural(stages, 'stage')} waiting to be submitted`,
    );
    this.refused = { wait, again: Date.now() + wait };
  }
}

/** So that what is found when the jobs have ended is of these jobs. */
async function forgetFailures(store: LaunchOptions['store'], nodes: readonly StageNode[]): Promise<void> {
  for (const node of nodes) await rm(store.failurePath(node), { force: true });
}

function refresh(folder: string): void {
  if (existsSync(folder)) readdirSync(folder);
}

/** `: <what the job printed last>`, without the version that Bun prints after an error. */
function lastLine(log: string): string {
  const text = existsSync(log) ? Bun.stripANSI(readFileSync(log, 'utf8')) : '';
  const printed = text.split('\n').findLast((line) => line.trim() && !/^Bun v\d/.test(line));
  return printed ? `: ${printed.trim()}` : '';
}
