/** Which stages the jobs in the queue compute. */
import type { Plan } from '../../../experiment/types.ts';
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
  plan: SubmittedPlan | undefined;
}

export interface SubmittedPlan {
  /** By which the store knows it. */
  id: string;
  /** The experiment. */
  name: string;
  /** Of all of its stages. */
  keys: ReadonlySet<string>;
}

export const submittedPlan = (id: string, { name, stages }: Plan): SubmittedPlan => ({
  ...{ id, name },
  keys: new Set(stages.map(({ key }) => key)),
});

export class Jobs {
  private readonly known = new Map<number, { plan: SubmittedPlan; tasks: Submission['tasks'] }>();

  constructor(private readonly submissions: Submissions) {}

  /** Those in the queue now. Throws an Unavailable where Slurm does not answer. */
  async list(): Promise<LiveJob[]> {
    const found = await Promise.all(
      (await listJobs(this.submissions.users())).map(async (job): Promise<LiveJob[]> => {
        const place = this.submissions.placeOf(job.name);
        if (!place) return [];
        const index = Number(job.id.split('_')[1] ?? 0);
        const submission = await this.submission(place.number);
        const tasks = submission?.tasks[place.array]?.[index] ?? [];
        return [{ ...job, ...place, index, tasks, plan: submission?.plan }];
      }),
    );
    return found.flat();
  }

  private async submission(number: number) {
    const known = this.known.get(number);
    if (known) return known;
    const read = await this.submissions.read(number);
    // A shared file system may show it late.
    if (!read) return undefined;
    const submission = { plan: submittedPlan(read.planId, read.plan), tasks: read.tasks };
    this.known.set(number, submission);
    return submission;
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
