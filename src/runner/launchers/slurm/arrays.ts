/**
 * Which stages share a job, which jobs are one array, and what each array waits for. Pure.
 *
 * A job is a list of tasks, one after the other: a stage, or one part of a divided stage. A stage that is expected to take little joins the job
 * that it waits for if it waits for nothing besides, or else a job that asks for the same and waits for the same. Jobs that ask for the
 * same and wait for the same are indices of one array.
 */
import type { StageNode } from '../../../experiment/types.ts';
import type { Resources } from './resources.ts';

/** A stage, or one part (0-based) of it. */
export interface Task {
  key: string;
  part?: number;
}

/** Jobs of one script, of which each has its own index. */
export interface JobArray {
  jobs: { tasks: Task[] /** Expected; null where nothing is known. */; seconds: number | null }[];
  resources: Resources;
  after: Dependency[];
}

/** An index of an earlier array of the same list, or a job that is in the queue already, e.g. `123_4`. */
export type Dependency = { array: number; index: number } | { queued: string };

interface Job {
  tasks: Task[];
  seconds: number | null;
  resources: Resources;
  after: ReadonlySet<Job | string>;
  /** All that has ended when this job starts. */
  before: ReadonlySet<Job | string>;
}

export interface ArrayOptions {
  resourcesOf(node: StageNode): Resources;
  /** Seconds that a stage is expected to take, with the resources that it asks for. */
  expected(key: string): number | undefined;
  /** Jobs in the queue that compute a stage already, by its key. */
  queued(key: string): readonly string[];
  /** Those that compute a part of a stage of which none computes the whole. */
  queuedParts(key: string): ReadonlyMap<number, string>;
  /** Jobs longer than this are not shared. */
  packSeconds: number;
  /** How many indices an array may have. */
  maxIndices: number;
}

/** What starting a part and seeing that it is done takes. */
const partSeconds = 1;

/** The arrays that compute these stages, in the order in which they are to be submitted. Inputs come before their readers in `nodes`. */
export function planArrays(nodes: readonly StageNode[], options: ArrayOptions): JobArray[] {
  const jobs: Job[] = [];
  const lastOf = new Map<string, Job>();
  const add = (task: Task, seconds: number | null, resources: Resources, after: Set<Job | string>) => {
    const job = { tasks: [task], seconds, resources, after, before: allBefore(after) };
    jobs.push(job);
    return job;
  };
  for (const node of nodes) {
    const resources = options.resourcesOf(node);
    const seconds = options.expected(node.key) ?? null;
    const after = withoutImplied(
      Object.values(node.inputs).flatMap((key): readonly (Job | string)[] => {
        const last = lastOf.get(key);
        return last ? [last] : options.queued(key);
      }),
    );
    if (node.parts > 1) {
      const share = seconds === null ? null : seconds / node.parts;
      const queued = options.queuedParts(node.key);
      const parts = Array.from(
        { length: node.parts },
        (_, part) => queued.get(part) ?? add({ key: node.key, part }, share, resources, after),
      );
      // It starts each part again, and computes those that were lost.
      lastOf.set(
        node.key,
        add({ key: node.key }, node.parts * partSeconds, resources, new Set<Job | string>(parts)),
      );
      continue;
    }
    const found = findRoom(jobs, seconds, resources, after, options.packSeconds);
    if (found) {
      found.tasks.push({ key: node.key });
      found.seconds = (found.seconds ?? 0) + (seconds ?? 0);
    }
    lastOf.set(node.key, found ?? add({ key: node.key }, seconds, resources, after));
  }
  return toArrays(jobs, options.maxIndices);
}

/** Without those that another one waits for anyway. */
function withoutImplied(jobs: readonly (Job | string)[]): Set<Job | string> {
  const implied = new Set(jobs.flatMap((job) => (typeof job === 'string' ? [] : [...job.before])));
  return new Set(jobs.filter((job) => !implied.has(job)));
}

function allBefore(after: ReadonlySet<Job | string>): Set<Job | string> {
  const all = new Set(after);
  for (const one of after) if (typeof one !== 'string') for (const earlier of one.before) all.add(earlier);
  return all;
}

/** A job that a stage can share. */
function findRoom(
  jobs: readonly Job[],
  seconds: number | null,
  resources: Resources,
  after: ReadonlySet<Job | string>,
  packSeconds: number,
): Job | undefined {
  const hasRoom = (job: Job) =>
    seconds !== null &&
    job.seconds !== null &&
    job.seconds + seconds <= packSeconds &&
    job.tasks.every(({ part }) => part === undefined) &&
    Bun.deepEquals(job.resources, resources);
  const waits = [...after];
  const follows = (job: Job) => waits.every((one) => one === job || job.before.has(one));
  const waited = waits.find((job): job is Job => typeof job !== 'string' && follows(job) && hasRoom(job));
  return waited ?? jobs.find((job) => hasRoom(job) && isSame(job.after, after));
}

const isSame = (a: ReadonlySet<unknown>, b: ReadonlySet<unknown>) =>
  a.size === b.size && [...a].every((one) => b.has(one));

function toArrays(jobs: readonly Job[], maxIndices: number): JobArray[] {
  const groups: Job[][] = [];
  for (const job of jobs) {
    const group = groups.find(
      ([first, ...rest]) =>
        first &&
        rest.length + 1 < maxIndices &&
        isSame(first.after, job.after) &&
        Bun.deepEquals(first.resources, job.resources),
    );
    if (group) group.push(job);
    else groups.push([job]);
  }
  const places = new Map<Job, Dependency>();
  for (const [array, group] of groups.entries())
    for (const [index, job] of group.entries()) places.set(job, { array, index });
  return groups.map((group) => {
    const { resources, after } = group[0] as Job;
    return {
      jobs: group.map(({ tasks, seconds }) => ({ tasks, seconds })),
      resources,
      after: [...after].map((one) =>
        typeof one === 'string' ? { queued: one } : (places.get(one) as Dependency),
      ),
    };
  });
}
