/** Watches the jobs of a plan to their end, whoever submitted them. The store decides what is done and what failed. */
import type { StageNode } from '../../../experiment/types.ts';
import type { PlanEstimate } from '../../estimate.ts';
import type { RunnerEvent } from '../../events.ts';
import { type StageOutcome, stageSkipped } from '../../stage-runner.ts';
import type { Failure } from '../../store.ts';
import { type Launched, LauncherError, type LaunchOptions } from '../launcher.ts';
import { describeLeft } from './cancelling.ts';
import { EventReader } from './event-files.ts';
import { Jobs, type LiveJob } from './jobs.ts';
import { LiveJobs } from './live-jobs.ts';
import { cancel, Unavailable } from './queue.ts';
import { explainWaiting } from './reasons.ts';
import { eventsPath, type Submissions } from './submission.ts';

export class Watch {
  /** What is to be computed, inputs before their readers. */
  readonly todo: readonly StageNode[];
  readonly live: LiveJobs;
  private readonly events = new EventReader();
  /** Jobs that this process saw in the queue, by where their events are. */
  private readonly seen = new Map<string, LiveJob>();
  private readonly done = new Set<string>();
  private readonly failures = new Map<string, Failure>();
  /** The last job that computed all of a stage, as far as this process knows. */
  private readonly lastJobs = new Map<string, LiveJob>();
  private readonly doneJobs = new Set<string>();
  private readonly openJobs = new Set<string>();
  private readonly noted = new Set<string>();
  private readonly nodes: ReadonlyMap<string, StageNode>;
  /** What was noted of cancellations before this process. */
  private readonly cancelledBefore: string;

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
  async list(): Promise<void> {
    await this.live.list();
    for (const job of this.live.all) this.see(job);
  }

  /** Takes jobs that were just submitted for such in the queue, until that is asked again. */
  add(jobs: readonly LiveJob[]): void {
    for (const job of jobs) this.see(job);
    this.live.add(jobs);
  }

  private see(job: LiveJob): void {
    this.seen.set(eventsPath(this.submissions.folderOf(job.number), job.array, job.index), job);
    for (const { key, part } of job.tasks) if (part === undefined) this.lastJobs.set(key, job);
  }

  /** The last job that was to compute a stage to its end; undefined where there was none, as far as this process knows. */
  lastJob(key: string): LiveJob | undefined {
    return this.lastJobs.get(key);
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

  /** Looks into the store for what is done. */
  findDone(): void {
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

  /** Cancels what is in the queue for this plan, and for no other experiment there. */
  async cancel(): Promise<void> {
    const chosen = this.live.choose((key) => this.done.has(key) || !this.nodes.has(key));
    for (const line of describeLeft(chosen)) this.note(line);
    await cancel(chosen.cancelled.map(({ id }) => id));
  }

  /** Jobs that continue without this process. */
  left(): Launched {
    const jobs = this.live.own.length;
    return { state: 'left', jobs, others: this.liveJobs - jobs, unsubmitted: this.open.length };
  }

  /** What has neither a job nor a result. */
  get open(): StageNode[] {
    return this.todo.filter((node) => !this.live.covers(node.key) && !this.isSettled(node));
  }

  isDone(key: string): boolean {
    return this.done.has(key);
  }

  /** Done, or never to be done. */
  isSettled(node: StageNode): boolean {
    if (this.done.has(node.key)) return true;
    if (this.live.covers(node.key)) return false;
    return this.failures.has(node.key) || this.inputsOf(node).some((input) => !this.canBe(input));
  }

  private canBe(node: StageNode): boolean {
    return this.done.has(node.key) || !this.isSettled(node);
  }

  /** Those of its inputs that are to be computed, too. */
  inputsOf({ inputs }: StageNode): StageNode[] {
    return Object.values(inputs).flatMap((key) => this.nodes.get(key) ?? []);
  }

  /** Gives a stage up. */
  fail({ key, label }: StageNode, reason: string, log: string): void {
    this.failures.set(key, { reason, log });
    this.options.reporter.report({ event: 'job-failed', job: key, label, reason, log });
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

  note(text: string): void {
    this.options.reporter.report({ event: 'note', text });
  }

  /** As `note`, unless something of that name was noted before. */
  noteOnce(what: string, text: string): void {
    if (this.noted.has(what)) return;
    this.noted.add(what);
    this.note(text);
  }
}
