/** `exp cancel <experiment>`. */
import { dirname, resolve } from 'node:path';
import type { Json } from '../../base/json.ts';
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
  const shared = request.switches.has('shared');
  for (const { load } of Object.values(launchers)) {
    const { cancel } = await load();
    if (!cancel) continue;
    const { jobs, keys, left } = await cancel(store, { plans: chosen, kept, shared });
    const readers = plans.filter(
      (plan) => !chosen.includes(plan) && plan.stages.some(({ key }) => keys.has(key)),
    );
    if (request.switches.has('json')) {
      printJson({ event: 'cancelled', jobs, left, readers: readers.map(({ id }) => id) });
      continue;
    }
    print(`${plural(jobs, 'job')} cancelled`);
    for (const line of left) print(line);
    for (const plan of readers)
      print(
        `${plan.name} also has what they were to compute; if it waits for that: ${commandOf(store, plan)}`,
      );
  }
  return 0;
}

/** The plans of a file, whatever the arguments changed. */
function plansOf(file: string, store: Store, plans: readonly KeptPlan[]): KeptPlan[] {
  const found = plans.filter((plan) => plan.origin && resolve(fileOf(store, plan.origin)) === resolve(file));
  if (found.length > 0) return found;
  throw new UsageError(`${file} was not run with the store ${store.root}`, 'name the store with --store');
}

/** The command by which a plan was run. */
function commandOf(store: Store, { name, origin }: KeptPlan): string {
  if (!origin) return `the command of ${name}`;
  const text = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value));
  const set = Object.entries(origin.set).map(([key, value]) => ` --set ${key}=${text(value)}`);
  const only = Object.entries(origin.only).map(([axis, values]) => ` --only ${axis}=${values.join(',')}`);
  return `exp ${fileOf(store, origin)}${[...set, ...only].join('')} --launcher slurm`;
}
