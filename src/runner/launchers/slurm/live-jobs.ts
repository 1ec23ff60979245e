/** The jobs in the queue that concern a plan: those that were submitted for it, and those of others that compute stages of it. */
import { type ChosenJobs, chooseJobs } from './cancelling.ts';
import type { Jobs, LiveJob } from './jobs.ts';

export class LiveJobs {
  /** Those of the plan, and those that compute stages of it. */
  all: readonly LiveJob[] = [];
  /** Those of others for stages that the plan does not have. */
  private others: readonly LiveJob[] = [];
  private wholes: ReadonlyMap<string, readonly string[]> = new Map();
  private parts: ReadonlyMap<string, ReadonlyMap<number, string>> = new Map();

  constructor(
    private readonly jobs: Jobs,
    private readonly planId: string,
    private readonly concerns: (key: string) => boolean,
  ) {}

  /** Asks for the queue. Throws an Unavailable where Slurm does not answer. */
  async list(): Promise<void> {
    const found = await this.jobs.list();
    const isOfInterest = ({ plan, tasks }: LiveJob) =>
      plan?.id === this.planId || tasks.some(({ key }) => this.concerns(key));
    this.set(found.filter(isOfInterest));
    this.others = found.filter((job) => !isOfInterest(job));
  }

  /** Those that were just submitted, until the queue is asked again. */
  add(jobs: readonly LiveJob[]): void {
    this.set([...this.all, ...jobs]);
  }

  private set(all: readonly LiveJob[]): void {
    this.all = all;
    const tasks = all.flatMap(({ id, tasks }) => tasks.map((task) => ({ id, ...task })));
    const [parts, wholes] = [true, false].map((divided) =>
      Map.groupBy(
        tasks.filter(({ part }) => (part !== undefined) === divided),
        ({ key }) => key,
      ),
    ) as [Map<string, typeof tasks>, Map<string, typeof tasks>];
    this.wholes = new Map([...wholes].map(([key, found]) => [key, found.map(({ id }) => id)]));
    this.parts = new Map(
      [...parts].map(([key, found]) => [key, new Map(found.map(({ part, id }) => [part as number, id]))]),
    );
  }

  /** Those of this plan. */
  get own(): LiveJob[] {
    return this.all.filter(({ plan }) => plan?.id === this.planId);
  }

  /** Which of this plan can be cancelled. */
  choose(isDone: (key: string) => boolean): ChosenJobs {
    const isChosen = ({ plan }: LiveJob) => plan?.id === this.planId;
    return chooseJobs([...this.all, ...this.others], { isChosen, isDone });
  }

  /** Whether one computes a stage to its end. Parts alone are put together by nobody. */
  covers(key: string): boolean {
    return this.wholes.has(key);
  }

  /** Ids of the jobs after which a stage is computed. */
  of(key: string): readonly string[] {
    return this.wholes.get(key) ?? [];
  }

  /** Ids of the jobs that compute parts of a stage, by the part. */
  partsOf(key: string): ReadonlyMap<number, string> {
    return this.parts.get(key) ?? new Map();
  }
}
