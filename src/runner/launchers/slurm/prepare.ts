/** Writes the scripts of the jobs that compute some stages. */
import type { StageNode } from '../../../experiment/types.ts';
import type { PlanEstimate } from '../../estimate.ts';
import type { LaunchOptions } from '../launcher.ts';
import { type ArrayOptions, type JobArray, planArrays } from './arrays.ts';
import { expectNode, type LargestNodes, resourcesOf } from './resources.ts';
import { scriptOf } from './script.ts';
import type { Submissions } from './submission.ts';

const defaultPackMinutes = 10;

type Basis = Pick<LaunchOptions, 'plan' | 'jobs'>;

/** The arrays that compute these stages, and a script for each. */
export function plan(
  { plan, jobs }: Basis,
  submissions: Submissions,
  nodes: readonly StageNode[],
  given: Pick<ArrayOptions, 'queued' | 'queuedParts' | 'maxIndices'> & {
    estimate: PlanEstimate;
    number: number;
    largest: LargestNodes;
    isBegun(node: StageNode): boolean;
  },
): { arrays: JobArray[]; scripts: string[] } {
  const { launcher } = plan;
  const labels = new Map(nodes.map(({ key, label }) => [key, label]));
  // A divided stage that was begun as a whole is resumed as a whole.
  const divided = nodes.map((node) => (given.isBegun(node) ? { ...node, parts: 1 } : node));
  const arrays = planArrays(divided, {
    resourcesOf(node) {
      const resources = resourcesOf(launcher, node, given.largest);
      expectNode(resources, node.stage, given.largest);
      return resources;
    },
    expected: (key) => given.estimate.stages.get(key)?.seconds,
    packSeconds: (launcher.pack_minutes ?? defaultPackMinutes) * 60,
    ...given,
  });
  const scripts = arrays.map((array, number) =>
    scriptOf(array, {
      folder: submissions.folderOf(given.number),
      number,
      jobName: submissions.jobName(plan.name, given.number, number),
      labels: [...new Set(array.jobs.flatMap(({ tasks }) => tasks.map(({ key }) => labels.get(key) ?? key)))],
      atOnce: jobs ?? launcher.at_once,
      setup: launcher.setup ?? [],
    }),
  );
  return { arrays, scripts };
}

/** As `plan`, and writes them as the next submission. */
export async function prepare(
  options: LaunchOptions,
  submissions: Submissions,
  nodes: readonly StageNode[],
  given: Pick<ArrayOptions, 'queued' | 'queuedParts' | 'maxIndices'> & {
    estimate: PlanEstimate;
    largest: LargestNodes;
  },
): Promise<{ number: number; arrays: JobArray[]; paths: string[] }> {
  const number = submissions.next();
  const { device, dataDir, stagesModule, store } = options;
  const isBegun = (node: StageNode) => store.isBegun(node);
  const { arrays, scripts } = plan(options, submissions, nodes, { ...given, number, isBegun });
  const submission = {
    ...{ plan: options.plan, planId: options.planId, storeRoot: store.root, device, dataDir, stagesModule },
    expected: Object.fromEntries([...given.estimate.stages].map(([key, { seconds }]) => [key, seconds])),
    tasks: arrays.map(({ jobs }) => jobs.map(({ tasks }) => tasks)),
  };
  await submissions.write(number, submission, scripts);
  return { number, arrays, paths: scripts.map((_, array) => submissions.scriptPath(number, array)) };
}
