/** `exp gc`: removes what no plan needs. */
import { createInterface } from 'node:readline/promises';
import { plural } from '../../base/plural.ts';
import { formatBytes } from '../../report/page/format.ts';
import type { Launcher } from '../../runner/launchers/launcher.ts';
import { launchers } from '../../runner/launchers/registry.ts';
import { forgetPlan, type KeptPlan, keptPlans } from '../../runner/plans.ts';
import type { Store } from '../../runner/store.ts';
import { findUnneeded, removeUnneeded, type Unneeded } from '../../runner/unneeded.ts';
import type { Request } from '../arguments.ts';
import { inColumns } from '../columns.ts';
import { findExperiment } from '../kept-runs.ts';
import { findStore } from '../option-values.ts';
import { print, printError, printJson } from '../output.ts';
import { UsageError } from '../usage.ts';

/** Longer lists are cut and counted. */
const shown = 40;

/** Returns the exit code. */
export async function gcCommand(request: Request): Promise<number> {
  const { switches, values } = request;
  const json = switches.has('json');
  const store = findStore(request);
  const plans = await keptPlans(store);
  const forgotten = new Set((values.get('forget') ?? []).map((name) => findExperiment(name, plans).id));
  if (plans.length === 0 && findUnneeded(store, []).length > 0)
    throw new UsageError(
      `${store.root} has no plan of an experiment, so that nothing says what is needed`,
      'run the experiments that are to stay once; what is finished is not computed again',
    );
  const kept = plans.filter(({ id }) => !forgotten.has(id));
  const queues = await Promise.all(Object.values(launchers).map(({ load }) => load()));
  const ended = await Promise.all(queues.map((queue) => queue.ended?.(store, keysOf(kept)) ?? []));
  const found = [...findUnneeded(store, kept), ...ended.flat()];
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  if (json) for (const one of found) printJson({ event: 'unneeded', ...one });
  else print(describe(store, found, bytes));
  if (found.length === 0 && forgotten.size === 0) return 0;
  if (!switches.has('yes') && !(await agrees(json))) {
    printError('Nothing was removed. --yes removes it without asking.');
    return 0;
  }
  for (const id of forgotten) await forgetPlan(store, id);
  const held: Unneeded[] = [];
  let removed = 0;
  for (const one of found) {
    // A run that began since may need it: it keeps its plan before it looks at what is there.
    const needed = keysOf(await keptPlans(store));
    if (one.what !== 'set aside' && needed.has(one.key)) continue;
    if (await remove(store, one, needed, queues)) removed += one.bytes;
    else held.push(one);
  }
  if (json) printJson({ event: 'removed', bytes: removed, held: held.map(idOf) });
  else {
    for (const one of held) print(`${idOf(one)} stays: it is in use`);
    print(`${formatBytes(removed)} removed`);
  }
  return 0;
}

const keysOf = (plans: readonly KeptPlan[]) =>
  new Set(plans.flatMap(({ stages }) => stages.map(({ key }) => key)));

async function remove(
  store: Store,
  one: Unneeded,
  needed: ReadonlySet<string>,
  queues: readonly Launcher[],
): Promise<boolean> {
  if (one.what !== 'ended jobs') return removeUnneeded(store, one);
  const all = await Promise.all(queues.map((queue) => queue.removeEnded?.(store, needed, one.key)));
  return all.includes(true);
}

const idOf = ({ stage, key }: Unneeded) => `${stage}/${key}`;

function describe(store: Store, found: readonly Unneeded[], bytes: number): string {
  if (found.length === 0) return `${store.root}: everything is needed`;
  const rows = found.slice(0, shown).map((one) => [idOf(one), one.what, formatBytes(one.bytes)]);
  return [
    inColumns(['not needed', 'what', 'size'], rows),
    ...(found.length > shown ? [`and ${found.length - shown} more`] : []),
    `${plural(found.length, 'artefact')}, ${formatBytes(bytes)} in ${store.root}`,
  ].join('\n');
}

/** Asks on a terminal; elsewhere nobody can answer. */
async function agrees(json: boolean): Promise<boolean> {
  if (json || !process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Remove it? [y/N] ');
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
