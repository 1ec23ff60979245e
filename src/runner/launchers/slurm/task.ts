/**
 * The program of a job, which its script starts on a compute node: `task.ts <folder of the submission> <number of the array>`. `submission.json` in
 * that folder lists the stages and parts of stages that each index of the array computes, and `SLURM_ARRAY_TASK_ID` is the index of this job. They
 * are computed one after the other by a `StageRunner`, as in a local run: each in a worker process, under its lease in the store. What happens is
 * appended to a file of events. When the time of the job is nearly up, it stops and puts itself back into the queue.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { isHeld } from '../../../base/lease.ts';
import type { StageNode } from '../../../experiment/types.ts';
import { stages } from '../../../stages/registry.ts';
import { chooseDevice, chooseGpus, describeChoice } from '../../choose-device.ts';
import { heldLease } from '../../parts.ts';
import { StageRunner } from '../../stage-runner.ts';
import { Store } from '../../store.ts';
import type { Task } from './arrays.ts';
import { filesIn, hasProgress } from './checkpoints.ts';
import { EventWriter } from './event-files.ts';
import { requeue } from './queue.ts';
import { eventsPath, readSubmission } from './submission.ts';

/** On a shared file system a file may be seen some time after it was written. */
const lateMs = 30_000;
const pollMs = 500;

const [folder = '', arrayText = ''] = process.argv.slice(2);
const { SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID, SLURM_CPUS_PER_TASK, SLURM_RESTART_COUNT } = process.env;
const array = Number(arrayText);
const index = Number(SLURM_ARRAY_TASK_ID);

/** Aborted by SIGTERM where Slurm cancels or preempts the job, and by SIGUSR1 before its time is up. */
const stop = new AbortController();
let timeIsUp = false;
process.on('SIGTERM', () => stop.abort());
process.on('SIGUSR1', () => {
  timeIsUp = true;
  stop.abort();
});

const submission = await readSubmission(folder);
const { plan, dataDir, stagesModule } = submission;
const store = new Store(submission.storeRoot);
const tasks = submission.tasks[array]?.[index];
if (!tasks) throw new Error(`${folder} has no array ${arrayText} with an index ${SLURM_ARRAY_TASK_ID}`);
const nodes = new Map(plan.stages.map((node) => [node.key, node]));
const find = (key: string) => nodes.get(key) as StageNode;
const reporter = new EventWriter(eventsPath(folder, array, index));
const note = (text: string) => reporter.report({ event: 'note', text });

if (Number(SLURM_RESTART_COUNT) > 0) {
  const next = tasks.find(({ key }) => !store.find(find(key))) ?? (tasks[0] as Task);
  const { label } = find(next.key);
  note(`${label}: its job started again, on ${hostname()}: it was requeued or preempted, or its node failed`);
}
const code = await computeAll(tasks);
process.exit(code);

async function computeAll(all: readonly Task[]): Promise<number> {
  const runner = await makeRunner(all);
  const failed = new Set<string>();
  let progressed = false;
  for (const task of all) {
    const node = find(task.key);
    const partial = store.partial(node, task.part);
    const before = { isFinished: isFinished(node), files: filesIn(partial) };
    const outcome = (await hasInputs(node, failed))
      ? await (task.part === undefined ? runner.compute(node, [], 0) : runner.computePart(node, task.part))
      : 'skipped';
    progressed ||= !before.isFinished && isFinished(node);
    if (stop.signal.aborted) {
      if (!timeIsUp) return 1;
      return again(node, task.part, progressed || hasProgress(before.files, filesIn(partial)));
    }
    // Who watches says that it is skipped, when that is final.
    if (outcome === 'skipped' || outcome.state === 'failed') failed.add(node.key);
  }
  return failed.size > 0 ? 1 : 0;
}

async function makeRunner(all: readonly Task[]): Promise<StageRunner> {
  const needsDevice = all.some(({ key }) => stages[find(key).stage]?.usesDevice ?? true);
  const choice = needsDevice ? await chooseDevice(submission.device) : undefined;
  const gpus = choice ? chooseGpus(choice.chosen, undefined) : [];
  if (choice) for (const text of describeChoice(choice, gpus)) console.log(text);
  return new StageRunner(
    {
      ...{ store, reporter, dataDir, stagesModule, gpus },
      workers: Math.max(1, gpus.length),
      device: choice?.chosen.name ?? submission.device,
      // Those that Slurm gave to this job are of no other.
      gpuLeases: join(folder, 'gpus', `${array}_${index}`),
      cores: Number(SLURM_CPUS_PER_TASK ?? availableParallelism()),
      failFast: false,
      expected: new Map(Object.entries(submission.expected)),
      signal: stop.signal,
    },
    find,
  );
}

/** Whether everything that a stage reads is finished, after waiting for what was finished elsewhere and is not seen yet. */
async function hasInputs({ inputs, ...node }: StageNode, failed: ReadonlySet<string>): Promise<boolean> {
  // A part of it may have failed on another node.
  if (store.failure(node)) return false;
  for (const key of Object.values(inputs)) {
    const input = find(key);
    for (const deadline = Date.now() + lateMs; store.find(input)?.state !== 'complete'; ) {
      if (failed.has(key) || store.failure(input) || stop.signal.aborted || Date.now() > deadline)
        return false;
      await Bun.sleep(pollMs);
      refresh(dirname(store.folder(input)));
    }
  }
  return true;
}

/** Looks into a folder, so that a network file system asks its server what is in it now. */
function refresh(path: string): void {
  try {
    readdirSync(path);
  } catch {
    // There is none yet.
  }
}

function isFinished(node: StageNode): boolean {
  return store.find(node)?.state === 'complete';
}

/** Puts the job back into the queue, unless it made no progress in all of its time, nor waited for another process that computes the same. Returns the exit code. */
async function again(node: StageNode, part: number | undefined, progressed: boolean): Promise<number> {
  const fail = (reason: string) => {
    const name = { job: node.key, label: node.label };
    reporter.report({ event: 'job-failed', ...name, reason, log: store.log(node, part) });
    return 1;
  };
  const waited = part === undefined ? heldLease(store, node) : isHeld(store.lease(node, part));
  if (!progressed && !waited)
    return fail('the job’s time was up before its first checkpoint: raise launcher.time');
  note(`${node.label}: the job’s time is up; it is requeued and resumes`);
  const objection = await requeue(`${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}`);
  if (!objection) return 0;
  note(`${node.label}: Slurm does not requeue the job: ${objection}`);
  return fail('the job’s time was up, and Slurm does not requeue it');
}
