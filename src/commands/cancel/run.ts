/** `exp cancel <experiment>`. */
import { dirname, resolve } from 'node:path';
import { plural } from '../../base/plural.ts';
import { launchers } from '../../runner/launchers/registry.ts';
import { fileOf, type KeptPlan, keptPlans } from '../../runner/plans.ts';
import { Store } from '../../runner/store.ts';
import { optionValue, type Request } from '../arguments.ts';
import { findExperiment } from '../kept-runs.ts';
import { findStore } from '../option-values.ts';
import { print, printJson } from '../output.ts';
import { UsageError } from '../usage.ts';

/** Returns the exit code. */
export async function cancelCommand(request: Request): Promise<number> {
  const name = request.positionals[0] as string;
  const isFile = /\.ya?ml$/.test(name);
  const given = optionValue(request, 'store');
  const store = isFile && !given ? new Store(resolve(dirname(name), '.exp')) : findStore(request);
  const plans = await keptPlans(store);
  const chosen = isFile ? plansOf(name, store, plans) : [findExperiment(name, plans)];
  const kept = new Set(plans.map(({ id }) => id));
  let jobs = 0;
  for (const { load } of Object.values(launchers)) {
    const { cancel } = await load();
    for (const plan of chosen) jobs += (await cancel?.(store, plan, kept)) ?? 0;
  }
  if (request.switches.has('json')) printJson({ event: 'cancelled', jobs });
  else print(`${plural(jobs, 'job')} cancelled`);
  return 0;
}

/** The plans of a file, whatever the arguments changed. */
function plansOf(file: string, store: Store, plans: readonly KeptPlan[]): KeptPlan[] {
  const found = plans.filter((plan) => plan.origin && resolve(fileOf(store, plan.origin)) === resolve(file));
  if (found.length > 0) return found;
  throw new UsageError(`${file} was not run with the store ${store.root}`, 'name the store with --store');
}
