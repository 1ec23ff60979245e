/** Computes by jobs of a Slurm cluster, which has this program and the store on a shared file system. */
import { mkdirSync } from 'node:fs';
import { plural } from '../../../base/plural.ts';
import { estimatePlan } from '../../estimate.ts';
import type { Store } from '../../store.ts';
import {
  type Cancelled,
  type CancelOptions,
  type Launched,
  type Launcher,
  LauncherError,
  type LaunchOptions,
} from '../launcher.ts';
import { startEvent } from '../start-event.ts';
import { chooseJobs, describeLeft } from './cancelling.ts';
import { ended, removeEnded, removeEndedJobs } from './ended.ts';
import { Jobs, type LiveJob, queuedStages } from './jobs.ts';
import { plan } from './prepare.ts';
import { cancel, largestNodes, maxArraySize, Unavailable } from './queue.ts';
import { type LargestNodes, resourcesOf } from './resources.ts';
import { type Submission, Submissions } from './submission.ts';
import { takeSubmitLease } from './submit-lease.ts';
import { Submitter } from './submitter.ts';
import { Watch } from './watch.ts';

/** How often the queue and the store are looked at: often at first and when a stage is done, as the next may be short. */
const pollMs = { first: 500, growth: 1.3, longest: 10_000 };

/** How long the last jobs may take to report what they did. */
const reportMs = 2000;

/** How long after Ctrl-C another one cancels the jobs. */
const secondMs = 3000;

type Basis = Omit<LaunchOptions, 'interrupt' | 'second' | 'reporter'>;

/** Jobs compute at the same time, each stage on the cores that it asks for. */
function estimate({ plan, states, store }: Basis, largest: LargestNodes) {
  const cpus = plan.stages.map((node) => resourcesOf(plan.launcher, node, largest).cpus);
  return estimatePlan(plan, states, store, 1, Math.min(...cpus));
}

function check({ gpus, store }: Basis): void {
  // sbatch then replaces no %a in the names of logs, whichever way it is quoted.
  if (/[\\\n]/.test(store.root))
    throw new LauncherError(
      `Slurm cannot write logs to ${JSON.stringify(store.root)}: the path has a backslash or a line break`,
      'name another folder with --store',
    );
  if (gpus)
    throw new LauncherError(
      '--gpus names GPUs of this machine, and Slurm chooses those of its jobs',
      'launcher.gpus in the experiment file says how many each job gets',
    );
}

async function launch(options: LaunchOptions): Promise<Launched> {
  check(options);
  const { store, reporter, interrupt } = options;
  const submissions = new Submissions(store);
  mkdirSync(submissions.folder, { recursive: true });
  const startedAt = performance.now();
  const largest = await largestNodes();
  const estimated = estimate(options, largest);
  const watch = new Watch(options, estimated, submissions);
  const submitter = new Submitter(options, estimated, submissions, watch, largest);
  const note = (text: string) => reporter.report({ event: 'note', text });

  await watch.find();
  const before = watch.liveJobs;
  const added = await submitter.submitFirst();
  reporter.report(
    startEvent(options, estimated, Math.max(1, options.plan.launcher.at_once ?? watch.liveJobs)),
  );
  if (before > 0) note(`${plural(before, 'job')} of an earlier command in the queue`);
  note(`${plural(added, 'job')} submitted to Slurm; scripts and logs are in ${submissions.folder}`);
  try {
    if (options.detach && !watch.isCancelled) return watch.left();
    let done = 0;
    for (let wait = pollMs.first; ; wait = Math.min(wait * pollMs.growth, pollMs.longest)) {
      const answered = await watch.look();
      if (watch.doneStages > done) wait = pollMs.first;
      done = watch.doneStages;
      if (watch.ended || (options.failFast && watch.hasFailed)) break;
      if (interrupt.aborted) return await leave(options, watch, note);
      if (watch.isCancelled) {
        note('exp cancel cancelled the jobs');
        return { state: 'interrupted', outcomes: watch.outcomes() };
      }
      if (answered) await submitter.submitMissing();
      await pause(wait, interrupt);
    }
    // A stage is in the store a little before its job says so.
    for (const deadline = Date.now() + reportMs; watch.receive() && Date.now() < deadline; )
      await Bun.sleep(100);
    await watch.cancel().catch((error) => {
      if (!(error instanceof LauncherError)) throw error;
      note(error.message);
    });
    const outcomes = watch.outcomes();
    if (!watch.hasFailed) await removeOwn(submissions, options.planId);
    return { state: 'ended', outcomes };
  } finally {
    reporter.report({ event: 'end', seconds: (performance.now() - startedAt) / 1000 });
  }
}

/** After Ctrl-C: jobs continue, unless it comes a second time. A closed terminal leaves them, too. */
async function leave(
  { interrupt, second }: LaunchOptions,
  watch: Watch,
  note: (text: string) => void,
): Promise<Launched> {
  if (interrupt.reason !== 'SIGINT') return watch.left();
  note(
    `${plural(watch.liveJobs, 'job')} in the queue, left there in ${secondMs / 1000} s; Ctrl-C again cancels them`,
  );
  await pause(secondMs, second);
  if (!second.aborted) return watch.left();
  await watch.cancel();
  return { state: 'interrupted', outcomes: watch.outcomes() };
}

/** Waits, or until the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

async function scripts(options: Basis): Promise<string> {
  check(options);
  const { states, store } = options;
  const submissions = new Submissions(store);
  const todo = options.plan.stages.filter(({ key }) => states.get(key)?.state === 'compute');
  const largest = await largestNodes();
  const planned = plan(options, submissions, todo, {
    ...{ largest, estimate: estimate(options, largest) },
    number: submissions.next(),
    maxIndices: await maxArraySize(),
    ...{ queued: () => [], queuedParts: () => new Map() },
    isBegun: (node) => store.isBegun(node),
  });
  return planned.scripts.join('\n');
}

/** Scripts and output of the jobs of a plan, once they have ended well. Where Slurm does not answer they stay for `exp gc`. */
async function removeOwn(submissions: Submissions, planId: string): Promise<void> {
  try {
    const isOwn = (submission: Submission) => submission.planId === planId;
    await removeEndedJobs(submissions, isOwn, submissions.numbers());
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
  }
}

/** Those of a process that submits or watches them, too, which ends by that. */
async function cancelJobs(store: Store, { plans, kept, shared }: CancelOptions): Promise<Cancelled> {
  const submissions = new Submissions(store);
  if (!submissions.exists) return { jobs: 0, keys: new Set(), left: [] };
  const ids = new Set(plans.map(({ id }) => id));
  for (const id of ids) submissions.noteCancellation(id);
  const nodes = new Map(plans.flatMap(({ stages }) => stages.map((node) => [node.key, node] as const)));
  const isDone = (key: string) => {
    const node = nodes.get(key);
    return node !== undefined && store.find(node)?.state === 'complete';
  };
  const isChosen = ({ plan, tasks }: LiveJob) =>
    plan !== undefined &&
    (ids.has(plan.id) || (!kept.has(plan.id) && tasks.every(({ key }) => nodes.has(key))));
  // A process that submits sees the note before its next array.
  const lease = await takeSubmitLease(submissions.lease);
  try {
    const chosen = chooseJobs(await new Jobs(submissions).list(), { isChosen, isDone, shared });
    const { cancelled } = chosen;
    for (const id of new Set(cancelled.flatMap(({ plan }) => plan?.id ?? [])))
      submissions.noteCancellation(id);
    await cancel(cancelled.map(({ id }) => id));
    return {
      jobs: cancelled.length,
      keys: new Set(
        cancelled.flatMap(({ tasks }) => tasks.map(({ key }) => key)).filter((key) => !isDone(key)),
      ),
      left: describeLeft(chosen),
    };
  } finally {
    lease?.release();
  }
}

export const slurm: Launcher = {
  ...{ launch, scripts, queued: queuedStages, cancel: cancelJobs },
  ...{ ended, removeEnded },
};
