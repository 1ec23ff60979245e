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

const enumerated = new Map<string, string>();

/** Names as a list in words. Formatting it takes long, and most stages need the same inputs. */
function enumerate(names: readonly string[]): string {
  const text = enumerated.get(names.join()) ?? listFormat.format(names);
  enumerated.set(names.join(), text);
  return text;
}

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
  const isThere = ({ stage, key }: StageNode, suffix = '') => {
    const names = folders.get(stage);
    return names !== undefined && names.size > 0 && names.has(key + suffix);
  };
  const needed = new Set(plan.runs.map(({ resultKey }) => resultKey));
  const damage = new Map<string, string>();
  /** Stages that are to compute for the same reason have the same state. */
  const compute = new Map<string, StageState>();
  for (const node of plan.stages.toReversed()) {
    const check = () => (needed.has(node.key) ? store.check(node) : store.find(node));
    const found = isThere(node) ? await check() : undefined;
    if (found?.state === 'complete') {
      states.set(node.key, { state: 'cached' });
    } else if (!needed.has(node.key)) {
      states.set(node.key, { state: 'unneeded' });
    } else {
      if (found) damage.set(node.key, found.damage);
      for (const name in node.inputs) needed.add(node.inputs[name] as string);
    }
  }
  for (const node of plan.stages) {
    if (states.has(node.key)) continue;
    const failed = Object.values(node.inputs).find((key) => states.get(key)?.state === 'failed');
    const failure = isThere(node, failedSuffix) ? store.failure(node) : undefined;
    if (failed) states.set(node.key, states.get(failed) as StageState);
    else if (failure && !retryFailed) states.set(node.key, { state: 'failed', failure });
    else states.set(node.key, toCompute(why(node, failure)));
  }
  return states;

  function toCompute(why: string): StageState {
    const state = compute.get(why) ?? { state: 'compute', why };
    compute.set(why, state);
    return state;
  }

  function why(node: StageNode, failure: Failure | undefined): string {
    const damaged = damage.get(node.key);
    if (damaged) return `damaged: ${damaged}`;
    if (failure) return 'failed before';
    if (isThere(node, partialEnding)) return 'interrupted before, will be resumed';
    const inputs = Object.keys(node.inputs).filter(
      (name) => states.get(node.inputs[name] as string)?.state === 'compute',
    );
    return inputs.length > 0 ? `needs ${enumerate(inputs)} first` : 'not computed yet';
  }
}
