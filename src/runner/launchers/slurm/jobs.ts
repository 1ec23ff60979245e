/** Which stages of a plan the jobs in the queue compute. */
import type { Store } from '../../store.ts';
import { LauncherError, type PlanId } from '../launcher.ts';
import type { Task } from './arrays.ts';
import { listJobs, type QueuedJob } from './queue.ts';
import { type Submission, Submissions } from './submission.ts';

/** A job in the queue: one index of one array of one submission. */
export interface LiveJob extends QueuedJob {
  number: number;
  array: number;
  index: number;
  tasks: readonly Task[];
}

export class Jobs {
  private readonly known = new Map<number, Submission | undefined>();

  constructor(private readonly submissions: Submissions) {}

  /** Those in the queue now. Throws an Unavailable where Slurm does not answer. */
  async list(): Promise<LiveJob[]> {
    const { prefix } = this.submissions;
    const found = await listJobs(prefix);
    return Promise.all(
      found.map(async (job) => {
        const [number = 0, array = 0] = job.name.slice(prefix.length).split('.').map(Number);
        const index = Number(job.id.split('_')[1] ?? 0);
        const tasks = (await this.submission(number))?.tasks[array]?.[index] ?? [];
        return { ...job, number, array, index, tasks };
      }),
    );
  }

  private async submission(number: number): Promise<Submission | undefined> {
    if (!this.known.has(number)) this.known.set(number, await this.submissions.read(number));
    return this.known.get(number);
  }
}

/** Keys of the stages of a plan that jobs in the queue compute or wait to; none where no jobs were ever submitted or Slurm does not answer. */
export async function queuedStages(store: Store, { name, id }: PlanId): Promise<Set<string>> {
  const submissions = new Submissions(store, name, id);
  if (!submissions.exists) return new Set();
  try {
    const jobs = await new Jobs(submissions).list();
    return new Set(jobs.flatMap(({ tasks }) => tasks.map(({ key }) => key)));
  } catch (error) {
    if (error instanceof LauncherError) return new Set();
    throw error;
  }
}
