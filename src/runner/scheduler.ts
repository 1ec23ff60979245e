/** Executes what is to be computed of a plan: stages in the order of their inputs, side by side where they can be. */
import { mkdirSync } from 'node:fs';
import type { Plan, StageNode } from '../experiment/types.ts';
import { type ExecuteOptions, type StageOutcome, StageRunner } from './stage-runner.ts';
import type { StageState } from './survey.ts';

/**
 * Computes the stages whose state is `compute`. A stage that fails takes with it only those that need it. Returns every
 * stage's outcome by its key.
 */
export async function execute(
  plan: Plan,
  states: ReadonlyMap<string, StageState>,
  options: ExecuteOptions,
): Promise<Map<string, StageOutcome>> {
  const nodes = new Map(plan.stages.map((node) => [node.key, node]));
  const depth = new Map<string, number>();
  const pending = new Map<string, Promise<StageOutcome>>();
  const runner = new StageRunner(options, (key) => nodes.get(key) as StageNode);
  mkdirSync(options.store.root, { recursive: true });
  for (const node of plan.stages) {
    const inputs = Object.values(node.inputs);
    depth.set(node.key, Math.max(0, ...inputs.map((key) => (depth.get(key) as number) + 1)));
    const state = states.get(node.key);
    if (state?.state === 'compute') {
      const waits = inputs.map((key) => pending.get(key) as Promise<StageOutcome>);
      pending.set(node.key, runner.compute(node, waits, -(depth.get(node.key) as number)));
    } else {
      const outcome: StageOutcome = state?.state === 'failed' ? state : { state: 'done' };
      pending.set(node.key, Promise.resolve(outcome));
    }
  }
  const outcomes = await Promise.all(
    [...pending].map(async ([key, outcome]) => [key, await outcome] as const),
  );
  return new Map(outcomes);
}
