/** What is kept of jobs that have ended, so that it can be removed. */
import { statSync } from 'node:fs';
import { Lease } from '../../../base/lease.ts';
import type { Store } from '../../store.ts';
import { sizeOf, type Unneeded } from '../../unneeded.ts';
import { LauncherError } from '../launcher.ts';
import { listJobs } from './queue.ts';
import { type Submission, Submissions } from './submission.ts';

type Chosen = (submission: Submission) => boolean;

/**
 * Which of these submissions have no job in the queue and are chosen, or have no record. Throws an Unavailable where Slurm does not answer.
 */
async function find(
  submissions: Submissions,
  isChosen: Chosen,
  numbers: readonly number[],
): Promise<number[]> {
  if (numbers.length === 0) return [];
  const live = new Set(
    (await listJobs(submissions.users())).map(({ name }) => submissions.placeOf(name)?.number),
  );
  const chosen: number[] = [];
  for (const number of numbers) {
    // The jobs of others cannot be seen everywhere.
    if (live.has(number) || !isOwn(submissions.folderOf(number))) continue;
    const submission = await submissions.read(number);
    if (!submission || isChosen(submission)) chosen.push(number);
  }
  return chosen;
}

/** Whether this user submitted the jobs whose folder that is. */
const isOwn = (folder: string) => statSync(folder).uid === process.getuid?.();

/** Removes what is kept of jobs that have ended. Returns which of the submissions these were; none while another process submits jobs. */
export async function removeEndedJobs(
  submissions: Submissions,
  isChosen: Chosen,
  numbers: readonly number[],
): Promise<number[]> {
  // Before its jobs are in the queue, a submission looks as if they had ended.
  const lease = await Lease.takeFromDead(submissions.lease);
  if (!lease) return [];
  try {
    const ended = await find(submissions, isChosen, numbers);
    for (const number of ended) submissions.remove(number);
    return ended;
  } finally {
    lease.release();
  }
}

/** What is printed by jobs of work that is needed and not finished may say why. */
function isOver(store: Store, needed: ReadonlySet<string>): Chosen {
  return ({ plan, tasks }) => {
    const keys = new Set(tasks.flat(2).map(({ key }) => key));
    return plan.stages.every(
      (node) => !keys.has(node.key) || !needed.has(node.key) || store.find(node)?.state === 'complete',
    );
  };
}

/** As `Launcher.ended`. */
export async function ended(store: Store, needed: ReadonlySet<string>): Promise<Unneeded[]> {
  const submissions = new Submissions(store);
  try {
    const numbers = await find(submissions, isOver(store, needed), submissions.numbers());
    return numbers.map((number) => {
      const path = submissions.folderOf(number);
      return { stage: 'slurm', key: String(number), what: 'ended jobs', paths: [path], bytes: sizeOf(path) };
    });
  } catch (error) {
    if (error instanceof LauncherError) return [];
    throw error;
  }
}

/** As `Launcher.removeEnded`. */
export async function removeEnded(store: Store, needed: ReadonlySet<string>, key: string): Promise<boolean> {
  const submissions = new Submissions(store);
  try {
    const removed = await removeEndedJobs(submissions, isOver(store, needed), [Number(key)]);
    return removed.length > 0;
  } catch (error) {
    if (error instanceof LauncherError) return false;
    throw error;
  }
}
