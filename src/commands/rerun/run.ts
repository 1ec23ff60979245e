/** `exp rerun <file> --stage <name>`: what the next run is to compute again. */
import { plural } from '../../base/plural.ts';
import { stagesByRun } from '../../experiment/run-names.ts';
import type { StageNode } from '../../experiment/types.ts';
import { keptPlans } from '../../runner/plans.ts';
import { dependents, InUse, setAside } from '../../runner/set-aside.ts';
import { stages as kinds } from '../../stages/registry.ts';
import type { Request } from '../arguments.ts';
import { loadPlan, openStore } from '../option-values.ts';
import { print, printJson } from '../output.ts';
import { UsageError } from '../usage.ts';

/** Returns the exit code. */
export async function rerunCommand(request: Request): Promise<number> {
  const plan = await loadPlan(request);
  const store = openStore(request);
  const wanted = request.values.get('stage') ?? [];
  const stagesOf = stagesByRun(plan);
  const own = new Map(plan.runs.flatMap((run) => stagesOf(run).map((node) => [node.key, node])));
  const chosen = [...own.values()].filter(({ stage }) => wanted.includes(stage));
  const absent = wanted.find((name) => !chosen.some(({ stage }) => stage === name));
  if (absent !== undefined) {
    const names = [...new Set([...own.values()].map(({ stage }) => stage))];
    throw new UsageError(`${plan.name} has no stage ${absent}`, `its stages are ${names.join(', ')}`);
  }
  // Begun work has no record yet of what it reads: plans know it.
  const planned = [plan, ...(await keptPlans(store))].flatMap(({ stages }) => stages);
  const records = store
    .list(Object.keys(kinds))
    .flatMap((found) => (found.state === 'complete' ? [found.record] : []));
  type Known = Pick<StageNode, 'stage' | 'key' | 'inputs' | 'label'>;
  const known = new Map([...records, ...planned].map((one): [string, Known] => [one.key, one]));
  const all = dependents(
    chosen.map(({ key }) => key),
    [...known.values()],
  );
  const aside = await setAside(store, all).catch((error) => {
    if (!(error instanceof InUse)) throw error;
    throw new UsageError(error.message, 'nothing was set aside: wait until it ends, or stop it');
  });
  if (request.switches.has('json')) {
    for (const { stage, key, label } of aside) printJson({ event: 'set-aside', stage, key, label });
    return 0;
  }
  for (const { label, key } of aside.toReversed()) print(`${label}  ${key}`);
  print(
    aside.length === 0
      ? `Nothing of ${wanted.join(', ')} is finished in ${store.root}.`
      : `${plural(aside.length, 'artefact')} set aside. exp run ${request.positionals[0]} computes them again.`,
  );
  return 0;
}
