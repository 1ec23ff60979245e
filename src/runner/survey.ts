/** Which stages of a plan are in the store and which are left to compute. */
import type { Plan, StageNode } from '../experiment/types.ts';
import type { Failure, Store } from './store.ts';

export type StageState =
  | { state: 'cached' }
  /** Not there, and no run that is left needs it. */
  | { state: 'unneeded' }
  | { state: 'compute'; why: string }
  /** It, or a stage that it needs, failed before and is not tried again. */
  | { state: 'failed'; failure: Failure };

export interface SurveyOptions {
  /** Whether stages that failed before are computed again. */
  retryFailed: boolean;
}

const listFormat = new Intl.ListFormat('en-GB');

/** The state of every stage of the plan by its key. Artefacts that will be read are checked first. */
export async function survey(
  plan: Plan,
  store: Store,
  { retryFailed }: SurveyOptions,
): Promise<Map<string, StageState>> {
  const states = new Map<string, StageState>();
  const needed = new Set(plan.runs.map(({ resultKey }) => resultKey));
  const damage = new Map<string, string>();
  for (const node of plan.stages.toReversed()) {
    const found = needed.has(node.key) ? await store.check(node) : store.find(node);
    if (found?.state === 'complete') {
      states.set(node.key, { state: 'cached' });
    } else if (!needed.has(node.key)) {
      states.set(node.key, { state: 'unneeded' });
    } else {
      if (found) damage.set(node.key, found.damage);
      for (const key of Object.values(node.inputs)) needed.add(key);
    }
  }
  for (const node of plan.stages) {
    if (states.has(node.key)) continue;
    const inputs = Object.entries(node.inputs).map(([name, key]) => ({ name, state: states.get(key) }));
    const failed = inputs.map(({ state }) => state).find((state) => state?.state === 'failed');
    const failure = store.failure(node);
    if (failed) states.set(node.key, failed);
    else if (failure && !retryFailed) states.set(node.key, { state: 'failed', failure });
    else states.set(node.key, { state: 'compute', why: why(node, failure) });
  }
  return states;

  function why(node: StageNode, failure: Failure | undefined): string {
    const damaged = damage.get(node.key);
    if (damaged) return `damaged: ${damaged}`;
    if (failure) return 'failed before';
    if (store.isBegun(node)) return 'interrupted before, will be resumed';
    const inputs = Object.entries(node.inputs).filter(([, key]) => states.get(key)?.state === 'compute');
    return inputs.length > 0
      ? `needs ${listFormat.format(inputs.map(([name]) => name))} first`
      : 'not computed yet';
  }
}
