/** Which stages of a plan are in the store and which are left to compute. */
import type { Plan, StageNode } from '../experiment/types.ts';
import { partialEnding } from './partial.ts';
import { type Failure, type Found, failedSuffix, type Store } from './store.ts';

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

const needing = new Map<string, string>();

/** That these inputs are computed first. Formatting a list takes long, and most stages need the same inputs. */
function needs(inputs: readonly string[]): string {
  const names = inputs.join();
  const text = needing.get(names) ?? `needs ${listFormat.format(inputs)} first`;
  needing.set(names, text);
  return text;
}

/** Of a stage that a run needs, until its own is known. */
const needed: StageState = { state: 'compute', why: '' };

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
  for (const { resultKey } of plan.runs) states.set(resultKey, needed);
  const damage = new Map<string, string>();
  /** Stages that are to compute for the same reason have the same state. */
  const compute = new Map<string, StageState>();
  for (const node of plan.stages.toReversed()) {
    const found = isThere(node) ? await look(node) : undefined;
    if (found?.state === 'complete') {
      states.set(node.key, { state: 'cached' });
    } else if (!isNeeded(node)) {
      states.set(node.key, { state: 'unneeded' });
    } else {
      if (found) damage.set(node.key, found.damage);
      for (const name in node.inputs) states.set(node.inputs[name] as string, needed);
    }
  }
  for (const node of plan.stages) {
    if (!isNeeded(node)) continue;
    const failed = firstFailed(node);
    const failure = isThere(node, failedSuffix) ? store.failure(node) : undefined;
    if (failed) states.set(node.key, failed);
    else if (failure && !retryFailed) states.set(node.key, { state: 'failed', failure });
    else states.set(node.key, toCompute(why(node, failure)));
  }
  return states;

  async function look(node: StageNode): Promise<Found | undefined> {
    return isNeeded(node) ? store.check(node) : store.find(node);
  }

  function isNeeded({ key }: StageNode): boolean {
    return states.get(key) === needed;
  }

  /** The state of an input that failed. */
  function firstFailed({ inputs }: StageNode): StageState | undefined {
    for (const name in inputs) {
      const state = states.get(inputs[name] as string);
      if (state?.state === 'failed') return state;
    }
    return undefined;
  }

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
    const inputs: string[] = [];
    for (const name in node.inputs)
      if (states.get(node.inputs[name] as string)?.state === 'compute') inputs.push(name);
    return inputs.length > 0 ? needs(inputs) : 'not computed yet';
  }
}
