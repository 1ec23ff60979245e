/** Which stages the jobs in the queue compute. */
import type { Store } from '../../store.ts';
import { LauncherError } from '../launcher.ts';
import type { Task } from './arrays.ts';
import { listJobs, type QueuedJob } from './queue.ts';
import { type Submission, Submissions } from './submission.ts';

/** A job in the queue: one index of one array of one submission. */
export interface LiveJob extends QueuedJob {
  number: number;
  array: number;
  index: number;
  tasks: readonly Task[];
  /** The plan that it was submitted for; undefined where its submission is not there any more. */
  planId: string | undefined;
}

export class Jobs {
  private readonly known = new Map<number, Submission>();

  constructor(private readonly submissions: Submissions) {}

  /** Those in the queue now. Throws an Unavailable where Slurm does not answer. */
  async list(): Promise<LiveJob[]> {
    const found = await Promise.all(
      (await listJobs()).map(async (job): Promise<LiveJob[]> => {
        const place = this.submissions.placeOf(job.name);
        if (!place) return [];
        const index = Number(job.id.split('_')[1] ?? 0);
        const submission = await this.submission(place.number);
        const tasks = submission?.tasks[place.array]?.[index] ?? [];
        return [{ ...job, ...place, index, tasks, planId: submission?.planId }];
      }),
    );
    return found.flat();
  }

  private async submission(number: number): Promise<Submission | undefined> {
    const found = this.known.get(number) ?? (await this.submissions.read(number));
    // A shared file system may show it late.
    if (found) this.known.set(number, found);
    return found;
  }
}

/** Keys of the stages that jobs in the queue compute or wait to; none where no jobs were ever submitted or Slurm does not answer. */
export async function queuedStages(store: Store): Promise<Set<string>> {
  const submissions = new Submissions(store);
  if (!submissions.exists) return new Set();
  try {
    const jobs = await new Jobs(submissions).list();
    return new Set(jobs.flatMap(({ tasks }) => tasks.map(({ key }) => key)));
  } catch (error) {
    if (error instanceof LauncherError) return new Set();
    throw error;
  }
}
