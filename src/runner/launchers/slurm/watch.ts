/** Watches the jobs of a plan to their end, and submits again what was lost. The store decides what is done and what failed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Lease } from '../../../base/lease.ts';
import { plural } from '../../../base/plural.ts';
import type { StageNode } from '../../../experiment/types.ts';
import type { PlanEstimate } from '../../estimate.ts';
import type { RunnerEvent } from '../../events.ts';
import { type StageOutcome, stageSkipped } from '../../stage-runner.ts';
import type { Failure } from '../../store.ts';
import { type Launched, LauncherError, type LaunchOptions } from '../launcher.ts';
import type { JobArray } from './arrays.ts';
import { EventReader } from './event-files.ts';
import { Jobs, type LiveJob } from './jobs.ts';
import { LiveJobs } from './live-jobs.ts';
import { prepare } from './prepare.ts';
import { cancel, maxArraySize, Unavailable } from './queue.ts';
import { explainWaiting } from './reasons.ts';
import { logPath } from './script.ts';
import { eventsPath, type Submissions } from './submission.ts';
import { submitArrays } from './submit.ts';
import { takeSubmitLease } from './submit-lease.ts';

/** A stage that no job computes and that is not in the store is lost after this time: a shared file system may show it late. */
const lateMs = 10_000;
/** A stage whose jobs ended so often without a result is given up. */
const maxLosses = 3;
/** How long it is until jobs that a full queue refused are submitted again. */
const refusedMs = { first: 10_000, growth: 2, longest: 300_000 };

export class Watch {
  /** What is to be computed, inputs before their readers. */
  readonly todo: readonly StageNode[];
  private readonly live: LiveJobs;
  private readonly events = new EventReader();
  /** Jobs that this process saw in the queue, by where their events are. */
  private readonly seen = new Map<string, LiveJob>();
  private readonly done = new Set<string>();
  private readonly failures = new Map<string, Failure>();
  private readonly losses = new Map<string, number>();
  /** Stages that had a job for all of it, as far as this process knows. */
  private readonly tried = new Set<string>();
  /** Since when a stage has no job and no result. */
  private readonly missingSince = new Map<string, number>();
  private readonly doneJobs = new Set<string>();
  private readonly openJobs = new Set<string>();
  private readonly noted = new Set<string>();
  private readonly nodes: ReadonlyMap<string, StageNode>;
  /** What was noted of cancellations before this process. */
  private readonly cancelledBefore: string;
  /** Since the queue was full: the last wait, and until when it lasts. */
  private refused: { wait: number; again: number } | undefined;

  constructor(
    private readonly options: LaunchOptions,
    private readonly estimate: PlanEstimate,
    private readonly submissions: Submissions,
  ) {
    const { plan, states } = options;
    this.todo = plan.stages.filter(({ key }) => states.get(key)?.state === 'compute');
    this.nodes = new Map(this.todo.map((node) => [node.key, node]));
    this.live = new LiveJobs(new Jobs(submissions), options.planId, (key) => this.nodes.has(key));
    this.cancelledBefore = submissions.lastCancellation(options.planId);
  }

  /** Whether `exp cancel` cancelled the jobs of this plan meanwhile. */
  get isCancelled(): boolean {
    return this.submissions.lastCancellation(this.options.planId) !== this.cancelledBefore;
  }

  get liveJobs(): number {
    return this.live.all.length;
  }

  get doneStages(): number {
    return this.done.size;
  }

  /** Looks for jobs of an earlier command. Throws a LauncherError where Slurm does not answer. */
  async find(): Promise<void> {
    try {
      await this.list();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      throw new LauncherError(
        `Slurm does not answer: ${error.message}`,
        'the same command again, or sinfo for its state',
      );
    }
  }

  /** Asks for the queue. Throws an Unavailable where Slurm does not answer. */
  private async list(): Promise<void> {
    await this.live.list();
    for (const job of this.live.all) this.see(job);
  }

  private see(job: LiveJob): void {
    this.seen.set(eventsPath(this.submissions.folderOf(job.number), job.array, job.index), job);
    for (const { key, part } of job.tasks) if (part === undefined) this.tried.add(key);
  }

  /** Reads what jobs reported since. Returns whether one of them is at work, as far as that says. */
  receive(): boolean {
    for (const path of this.seen.keys()) for (const event of this.events.next(path)) this.observe(event);
    return this.openJobs.size > 0;
  }

  /** Looks at the queue, at what jobs report and at the store. Returns false while Slurm does not answer. */
  async look(): Promise<boolean> {
    let answered = true;
    try {
      await this.list();
      if (this.noted.delete('unavailable')) this.note('Slurm answers again');
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      answered = false;
      this.noteOnce(
        'unavailable',
        `Slurm does not answer, jobs may run all the same; waiting (${error.message})`,
      );
    }
    for (const job of this.live.all) if (job.state === 'PENDING') this.explain(job);
    this.receive();
    this.findDone();
    return answered;
  }

  private findDone(): void {
    for (const node of this.todo) {
      if (this.done.has(node.key) || this.options.store.find(node)?.state !== 'complete') continue;
      this.done.add(node.key);
      this.failures.delete(node.key);
    }
  }

  /** Whether nothing is left to wait for. */
  get ended(): boolean {
    return this.todo.every((node) => this.isSettled(node));
  }

  get hasFailed(): boolean {
    return this.todo.some(({ key }) => this.failures.has(key) && !this.live.covers(key));
  }

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
        if (!this.isSettled(node)) this.fail(node, error.message, this.submissions.folder);
      return 0;
    }
  }

  private async submitWith(lease: Lease): Promise<number> {
    let count = 0;
    try {
      await this.list();
      this.findDone();
      const { isDue, open, late } = this.missing();
      if (!isDue) return 0;
      for (const node of late) this.lose(node);
      count = await this.submit(open);
      for (const { key } of open) this.missingSince.delete(key);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      this.noteOnce('unavailable', `Slurm does not answer; waiting (${error.message})`);
    } finally {
      lease.release();
    }
    return count;
  }

  /** Stages without a job and a result: whether one of them is to be submitted now, and which had a job a while ago. */
  private missing(): { isDue: boolean; open: StageNode[]; late: StageNode[] } {
    const now = Date.now();
    const open = this.todo.filter((node) => !this.live.covers(node.key) && !this.isSettled(node));
    const keys = new Set(open.map(({ key }) => key));
    for (const key of this.missingSince.keys()) if (!keys.has(key)) this.missingSince.delete(key);
    for (const key of keys) if (!this.missingSince.has(key)) this.missingSince.set(key, now);
    for (const node of open) refresh(dirname(this.options.store.folder(node)));
    const late = open.filter(
      ({ key }) => this.tried.has(key) && now - (this.missingSince.get(key) ?? now) >= lateMs,
    );
    return { isDue: late.length > 0 || open.some(({ key }) => !this.tried.has(key)), open, late };
  }

  /** How each stage ended; `stopped` for what did not. */
  outcomes(): Map<string, StageOutcome> {
    const { plan, states, reporter } = this.options;
    const outcomes = new Map<string, StageOutcome>();
    for (const node of plan.stages) {
      const state = states.get(node.key);
      if (state?.state !== 'compute') {
        outcomes.set(node.key, state?.state === 'failed' ? state : { state: 'done' });
        continue;
      }
      const failure = this.failures.get(node.key);
      const input = Object.values(node.inputs)
        .map((key) => outcomes.get(key))
        .find((one) => one?.state === 'failed');
      if (this.done.has(node.key)) outcomes.set(node.key, { state: 'done' });
      else if (failure) outcomes.set(node.key, { state: 'failed', failure });
      else {
        outcomes.set(node.key, input ?? { state: 'stopped' });
        const why = input ? 'one of its inputs failed' : 'stopped';
        const expectedSeconds = this.estimate.stages.get(node.key)?.seconds ?? 0;
        reporter.report(stageSkipped(node, why, expectedSeconds));
      }
    }
    return outcomes;
  }

  /** Cancels what is in the queue for this plan. */
  cancel(): Promise<void> {
    return cancel(this.live.own.map(({ id }) => id));
  }

  /** Jobs that continue without this process. */
  left(): Launched {
    const jobs = this.live.own.length;
    return { state: 'left', jobs, others: this.liveJobs - jobs, unsubmitted: this.missing().open.length };
  }

  /** Done, or never to be done. */
  private isSettled(node: StageNode): boolean {
    if (this.done.has(node.key)) return true;
    if (this.live.covers(node.key)) return false;
    return this.failures.has(node.key) || this.inputsOf(node).some((input) => !this.canBe(input));
  }

  private canBe(node: StageNode): boolean {
    return this.done.has(node.key) || !this.isSettled(node);
  }

  private inputsOf({ inputs }: StageNode): StageNode[] {
    return Object.values(inputs).flatMap((key) => this.nodes.get(key) ?? []);
  }

  /** Counts that a job ended without a result. Where an input is missing, that is the reason. */
  private lose(node: StageNode): void {
    if (this.inputsOf(node).some(({ key }) => !this.done.has(key))) return;
    const failure = this.options.store.failure(node);
    if (failure) {
      this.fail(node, failure.reason, failure.log);
      return;
    }
    const count = (this.losses.get(node.key) ?? 0) + 1;
    this.losses.set(node.key, count);
    const last = [...this.seen.values()].findLast(({ tasks }) => tasks.some(({ key }) => key === node.key));
    const log = last
      ? logPath(this.submissions.folderOf(last.number), last.array, last.index)
      : this.submissions.folder;
    const ended = 'its job ended without a result: cancelled, killed, or its node failed';
    // That may name users and machines, and reasons of failures are published.
    const printed = lastLine(log);
    if (count < maxLosses) {
      this.note(`${node.label}: ${ended}; submitting it again${printed}`);
      return;
    }
    if (printed) this.note(`${node.label}: its job printed last${printed}`);
    this.fail(node, `${ended}, ${count} times`, log);
  }

  private fail({ key, label }: StageNode, reason: string, log: string): void {
    this.failures.set(key, { reason, log });
    this.options.reporter.report({ event: 'job-failed', job: key, label, reason, log });
  }

  /** With the lease. Returns how many jobs are in the queue more; a full queue leaves the rest for later. */
  private async submit(open: readonly StageNode[], maxIndices?: number): Promise<number> {
    const nodes = open.filter((node) => !this.isSettled(node) && !this.live.covers(node.key));
    if (nodes.length === 0 || this.isCancelled) return 0;
    await forgetFailures(this.options.store, nodes);
    const { number, arrays, paths } = await prepare(this.options, this.submissions, nodes, {
      estimate: this.estimate,
      maxIndices: maxIndices ?? (await maxArraySize()),
      queued: (key) => this.live.of(key),
      queuedParts: (key) => this.live.partsOf(key),
    });
    const { ids, refusal } = await submitArrays(arrays, paths, () => this.isCancelled);
    const added = ids.flatMap((id, array) =>
      (arrays[array]?.jobs ?? []).map(({ tasks }, index) => ({
        ...{ id: `${id}_${index}`, name: '', state: '', reason: '', planId: this.options.planId },
        ...{ number, array, index, tasks },
      })),
    );
    for (const job of added) this.see(job);
    this.live.add(added);
    await this.list().catch((error) => {
      if (!(error instanceof Unavailable)) throw error;
    });
    if (!refusal) {
      this.refused = undefined;
      return added.length;
    }
    // An array that Slurm says to have refused may be in the queue all the same.
    if (!this.live.all.some((job) => job.number === number)) this.submissions.remove(number);
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
    const none = this.live.all.length === 0 ? ', not even one' : '';
    this.noteOnce(
      `refused ${none}`,
      `Slurm takes no more jobs now${none} (${message}): ${plural(stages, 'stage')} waiting to be submitted`,
    );
    this.refused = { wait, again: Date.now() + wait };
  }

  private observe(event: RunnerEvent): void {
    const { reporter } = this.options;
    // A stage whose input is missing is reported when that is final.
    if (event.event === 'stage-skipped') return;
    if ('job' in event) {
      // What puts parts together starts each of them again.
      if (this.doneJobs.has(event.job)) return;
      const key = event.job.split('-')[0] as string;
      // A job of an earlier command may have done more than is left to do now.
      if (!this.nodes.has(key)) return;
      if (event.event === 'job-done') this.doneJobs.add(event.job);
      if (event.event === 'job-start') this.openJobs.add(event.job);
      else if (event.event !== 'job-progress') this.openJobs.delete(event.job);
      if (event.event === 'job-failed') this.failures.set(key, { reason: event.reason, log: event.log });
      if (event.event === 'job-start') this.failures.delete(key);
    }
    reporter.report(event);
  }

  private explain({ id, reason, number, array, tasks }: LiveJob): void {
    const found = explainWaiting(id, reason);
    if (!found) return;
    const next = tasks.find(({ key }) => !this.done.has(key)) ?? tasks[0];
    const label = this.nodes.get(next?.key ?? '')?.label ?? 'another stage';
    this.noteOnce(found.stuck ? `${number} ${array} ${reason}` : reason, `${label}: job ${id} ${found.text}`);
  }

  private note(text: string): void {
    this.options.reporter.report({ event: 'note', text });
  }

  private noteOnce(what: string, text: string): void {
    if (this.noted.has(what)) return;
    this.noted.add(what);
    this.note(text);
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
