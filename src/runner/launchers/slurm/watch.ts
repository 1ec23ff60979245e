/** Watches the jobs of a plan to their end, and submits again what was lost. The store decides what is done and what failed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Lease } from '../../../base/lease.ts';
import { plural } from '../../../base/plural.ts';
import type { StageNode } from '../../../experiment/types.ts';
import type { PlanEstimate } from '../../estimate.ts';
import type { RunnerEvent } from '../../events.ts';
import { jobCount, type StageOutcome } from '../../stage-runner.ts';
import type { Failure } from '../../store.ts';
import { LauncherError, type LaunchOptions } from '../launcher.ts';
import { EventReader } from './event-files.ts';
import { Jobs, type LiveJob } from './jobs.ts';
import { prepare } from './prepare.ts';
import { cancel, submit, Unavailable } from './queue.ts';
import { explainWaiting } from './reasons.ts';
import { logPath } from './script.ts';
import { eventsPath, type Submissions } from './submission.ts';

/** A stage that no job computes and that is not in the store is lost after this time: a shared file system may show it late. */
const lateMs = 10_000;
/** A stage whose jobs ended so often without a result is given up. */
const maxLosses = 3;

export class Watch {
  /** What is to be computed, inputs before their readers. */
  readonly todo: readonly StageNode[];
  private readonly jobs: Jobs;
  private readonly events = new EventReader();
  private live: readonly LiveJob[] = [];
  /** Jobs that this process saw in the queue, by where their events are. */
  private readonly seen = new Map<string, LiveJob>();
  private readonly done = new Set<string>();
  private readonly failures = new Map<string, Failure>();
  private readonly losses = new Map<string, number>();
  /** Stages that had a job, as far as this process knows. */
  private readonly tried = new Set<string>();
  /** Since when a stage has no job and no result. */
  private readonly missingSince = new Map<string, number>();
  private readonly doneJobs = new Set<string>();
  private readonly openJobs = new Set<string>();
  private readonly noted = new Set<string>();

  constructor(
    private readonly options: LaunchOptions,
    private readonly estimate: PlanEstimate,
    private readonly submissions: Submissions,
  ) {
    const { plan, states } = options;
    this.todo = plan.stages.filter(({ key }) => states.get(key)?.state === 'compute');
    this.jobs = new Jobs(submissions);
  }

  get liveJobs(): number {
    return this.live.length;
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
    this.live = await this.jobs.list();
    for (const job of this.live) {
      this.seen.set(this.eventsOf(job), job);
      for (const { key } of job.tasks) this.tried.add(key);
    }
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
    for (const job of this.live) if (job.state === 'PENDING') this.explain(job);
    this.receive();
    for (const node of this.todo) {
      if (this.done.has(node.key) || this.options.store.find(node)?.state !== 'complete') continue;
      this.done.add(node.key);
      this.failures.delete(node.key);
    }
    return answered;
  }

  /** Whether nothing is left to wait for. */
  get ended(): boolean {
    return this.todo.every((node) => this.isSettled(node));
  }

  get hasFailed(): boolean {
    return this.todo.some(({ key }) => this.failures.has(key) && !this.isCovered(key));
  }

  /** Submits what no job computes: what never had one at once, what was lost after a while. Returns how many jobs there are more. */
  async submitMissing(): Promise<number> {
    const now = Date.now();
    const missing = this.todo.filter(({ key }) => !this.isCovered(key));
    for (const key of this.missingSince.keys())
      if (!missing.some((node) => node.key === key)) this.missingSince.delete(key);
    const open = missing.filter((node) => !this.isSettled(node));
    for (const { key } of open) if (!this.missingSince.has(key)) this.missingSince.set(key, now);
    const isLate = ({ key }: StageNode) => now - (this.missingSince.get(key) ?? now) >= lateMs;
    for (const node of open) refresh(dirname(this.options.store.folder(node)));
    if (!open.some((node) => !this.tried.has(node.key) || isLate(node))) return 0;
    for (const node of open) if (this.tried.has(node.key) && isLate(node)) this.lose(node);
    return this.submit(open.filter((node) => !this.isSettled(node)));
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
        const why = input ? 'a stage it depends on failed' : 'stopped';
        const expectedSeconds = this.estimate.stages.get(node.key)?.seconds ?? 0;
        reporter.report({
          ...{ event: 'stage-skipped', label: node.label, jobs: jobCount(node), why, expectedSeconds },
        });
      }
    }
    return outcomes;
  }

  /** Cancels what is in the queue. */
  cancel(): Promise<void> {
    return cancel(this.live.map(({ id }) => id));
  }

  private isCovered(key: string): boolean {
    return this.live.some(({ tasks }) => tasks.some((task) => task.key === key));
  }

  /** Done, or never to be done. */
  private isSettled(node: StageNode): boolean {
    if (this.done.has(node.key)) return true;
    if (this.isCovered(node.key)) return false;
    return this.failures.has(node.key) || this.inputsOf(node).some((input) => !this.canBe(input));
  }

  private canBe(node: StageNode): boolean {
    return this.done.has(node.key) || !this.isSettled(node);
  }

  private inputsOf({ inputs }: StageNode): StageNode[] {
    const keys = new Set(Object.values(inputs));
    return this.todo.filter(({ key }) => keys.has(key));
  }

  /** Counts that a job ended without a result. Where an input is missing, that is the reason. */
  private lose(node: StageNode): void {
    if (this.inputsOf(node).some(({ key }) => !this.done.has(key))) return;
    const count = (this.losses.get(node.key) ?? 0) + 1;
    this.losses.set(node.key, count);
    const last = [...this.seen.values()].findLast(({ tasks }) => tasks.some(({ key }) => key === node.key));
    const log = last
      ? logPath(this.submissions.folderOf(last.number), last.array, last.index)
      : this.submissions.folder;
    const ended = 'its job ended without a result: cancelled, killed, or its node failed';
    const printed = lastLine(log);
    if (count < maxLosses) this.note(`${node.label}: ${ended}; submitting it again${printed}`);
    else {
      const failure = { reason: `${ended}, ${count} times${printed}`, log };
      this.failures.set(node.key, failure);
      const { reporter } = this.options;
      reporter.report({ event: 'job-failed', job: node.key, label: node.label, ...failure });
    }
  }

  private async submit(nodes: readonly StageNode[]): Promise<number> {
    if (nodes.length === 0) return 0;
    const { store } = this.options;
    const lease = await Lease.takeFromDead(this.submissions.lease);
    // Another process submits the same: its jobs are in the queue soon.
    if (!lease) return 0;
    const submitted: { id: string; jobs: number }[] = [];
    try {
      await forgetFailures(store, nodes);
      const { number, arrays, paths } = await prepare(this.options, this.submissions, nodes, {
        estimate: this.estimate,
        queued: (key) =>
          this.live.flatMap(({ id, tasks }) => (tasks.some((task) => task.key === key) ? [id] : [])),
      });
      for (const [array, { after, jobs }] of arrays.entries()) {
        const ids = dependencies(after, arrays, submitted);
        submitted.push({ id: await submit(paths[array] as string, ids), jobs: jobs.length });
        for (const [index, { tasks }] of jobs.entries()) {
          this.seen.set(eventsPath(this.submissions.folderOf(number), array, index), {
            ...{ id: '', name: '', state: '', reason: '', number, array, index, tasks },
          });
          for (const { key } of tasks) this.tried.add(key);
        }
      }
      this.noted.delete('refused');
    } catch (error) {
      if (!(error instanceof Unavailable)) {
        // What waits for jobs that do not exist would compute nothing.
        await cancel(submitted.map(({ id }) => id));
        throw error;
      }
      this.noteOnce(
        'refused',
        `Slurm takes no more jobs now (${error.message}): ${plural(nodes.length, 'stage')} waiting to be submitted`,
      );
    } finally {
      lease.release();
    }
    for (const { key } of nodes) this.missingSince.delete(key);
    await this.list().catch((error) => {
      if (!(error instanceof Unavailable)) throw error;
    });
    return submitted.reduce((sum, { jobs }) => sum + jobs, 0);
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
      if (!this.todo.some((node) => node.key === key)) return;
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
    const node = this.todo.find(({ key }) => key === next?.key);
    const label = node?.label ?? 'a stage that is finished';
    this.noteOnce(found.stuck ? `${number} ${array} ${reason}` : reason, `${label}: job ${id} ${found.text}`);
  }

  private eventsOf({ number, array, index }: LiveJob): string {
    return eventsPath(this.submissions.folderOf(number), array, index);
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

/** Job numbers that an array waits for: whole arrays where it waits for all of their indices. */
function dependencies(
  after: Awaited<ReturnType<typeof prepare>>['arrays'][number]['after'],
  arrays: Awaited<ReturnType<typeof prepare>>['arrays'],
  submitted: readonly { id: string }[],
): string[] {
  const queued = after.flatMap((one) => ('queued' in one ? [one.queued] : []));
  const byArray = Map.groupBy(
    after.flatMap((one) => ('array' in one ? [one] : [])),
    ({ array }) => array,
  );
  const own = [...byArray].flatMap(([array, indices]) => {
    const id = submitted[array]?.id as string;
    return indices.length === arrays[array]?.jobs.length
      ? [id]
      : indices.map(({ index }) => `${id}_${index}`);
  });
  return [...queued, ...own];
}

/** So that what is found when the jobs have ended is of these jobs. */
async function forgetFailures(store: LaunchOptions['store'], nodes: readonly StageNode[]): Promise<void> {
  for (const node of nodes) await rm(store.failurePath(node), { force: true });
}

function refresh(folder: string): void {
  if (existsSync(folder)) readdirSync(folder);
}

/** `: <what the job printed last>`. */
function lastLine(log: string): string {
  const printed = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) : '';
  return printed ? `: ${printed}` : '';
}
