/** Experiments and runs by their names, among all plans that a store keeps. */
import { didYouMean } from '../experiment/suggest.ts';
import type { Run } from '../experiment/types.ts';
import type { KeptPlan } from '../runner/plans.ts';
import { findRun } from './find-run.ts';
import { UsageError } from './usage.ts';

/** A run, and the plan that it is in. */
export interface KeptRun extends Run {
  plan: KeptPlan;
}

/** The plan of that name, or of that id where several have the name. Throws a UsageError where none or several have it. */
export function findExperiment(name: string, plans: readonly KeptPlan[]): KeptPlan {
  const found = plans.filter((plan) => plan.id === name);
  if (found.length === 0) found.push(...plans.filter((plan) => plan.name === name));
  const [first] = found;
  const names = plans.flatMap((plan) => [plan.name, plan.id]);
  if (!first) {
    const known = [...new Set(plans.map((plan) => plan.name))].join(', ');
    throw new UsageError(
      `the store has no experiment ${name}`,
      didYouMean(name, names) ?? (known ? `it has ${known}` : 'none was run yet'),
    );
  }
  if (found.length > 1)
    throw new UsageError(
      `${found.length} experiments are called ${name}`,
      `say which: ${found.map(({ id }) => id).join(', ')}`,
    );
  return first;
}

/** The run that `seed=0`, `name/seed=0` or an id names. Throws a UsageError where none or several have it. */
export function findKeptRun(text: string, plans: readonly KeptPlan[]): KeptRun {
  const [, name, rest] = /^([^/=,]+)\/(.+)$/.exec(text) ?? [];
  const among = name === undefined ? plans : [findExperiment(name, plans)];
  if (plans.length === 0) throw new UsageError(`unknown run: ${text}`, 'the store has no experiment yet');
  const runs = among.flatMap((plan) => plan.runs.map((run): KeptRun => ({ ...run, plan })));
  return findRun(rest ?? text, runs, ({ plan, id }) => `${among.length > 1 ? `${plan.id}/` : ''}${id}`);
}
