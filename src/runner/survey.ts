/** Which stages of a plan are in the store and which are left to compute. */
import type { Plan, StageNode } from '../experiment/types.ts';
import { partialEnding } from './partial.ts';
import { type Failure, failedSuffix, type Store } from './store.ts';

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
  // Most of the hundred thousand stages that a plan may have are not there, which one look into their folder says.
  const folders = new Map<string, ReadonlySet<string>>();
  for (const { stage } of plan.stages) if (!folders.has(stage)) folders.set(stage, store.names(stage));
  const isThere = ({ stage, key }: StageNode, suffix = '') => folders.get(stage)?.has(key + suffix);
  const needed = new Set(plan.runs.map(({ resultKey }) => resultKey));
  const damage = new Map<string, string>();
  /** What is said of stages that need the same. */
  const needs = new Map<string, string>();
  for (const node of plan.stages.toReversed()) {
    const check = () => (needed.has(node.key) ? store.check(node) : store.find(node));
    const found = isThere(node) ? await check() : undefined;
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
    const inputs = Object.values(node.inputs).map((key) => states.get(key));
    const failed = inputs.find((state) => state?.state === 'failed');
    const failure = isThere(node, failedSuffix) ? store.failure(node) : undefined;
    if (failed) states.set(node.key, failed);
    else if (failure && !retryFailed) states.set(node.key, { state: 'failed', failure });
    else states.set(node.key, { state: 'compute', why: why(node, failure) });
  }
  return states;

  function why(node: StageNode, failure: Failure | undefined): string {
    const damaged = damage.get(node.key);
    if (damaged) return `damaged: ${damaged}`;
    if (failure) return 'failed before';
    if (isThere(node, partialEnding)) return 'interrupted before, will be resumed';
    const inputs = Object.keys(node.inputs).filter(
      (name) => states.get(node.inputs[name] as string)?.state === 'compute',
    );
    if (inputs.length === 0) return 'not computed yet';
    const list = inputs.join();
    const text = needs.get(list) ?? `needs ${listFormat.format(inputs)} first`;
    needs.set(list, text);
    return text;
  }
}
