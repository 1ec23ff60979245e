/** The values of options, parsed and checked. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Json } from '../base/json.ts';
import { expandPath } from '../base/paths.ts';
import { planExperiment } from '../experiment/expand.ts';
import { loadExperiment } from '../experiment/load.ts';
import { formatWarnings } from '../experiment/problems.ts';
import { layouts } from '../experiment/tables-schema.ts';
import type { Plan } from '../experiment/types.ts';
import type { View } from '../report/view.ts';
import { Store } from '../runner/store.ts';
import { catalogue } from '../stages/catalogue.ts';
import { inspectZooFolder } from '../zoo/import/fingerprint.ts';
import { optionValue, type Request } from './arguments.ts';
import { printError } from './output.ts';
import { UsageError } from './usage.ts';

/** So many take a tenth of a gigabyte. */
const manyStages = 50_000;

/** --set and --only. */
export const selectionOption = async ({ values }: Pick<Request, 'values'>) => ({
  set: await parseSet(values.get('set') ?? []),
  only: parseOnly(values.get('only') ?? []),
});

/** The plan of the request's file, with its --set and --only; warnings are printed. Throws an ExperimentError or a UsageError. */
export async function loadPlan(request: Pick<Request, 'positionals' | 'values'>): Promise<Plan> {
  const { positionals } = request;
  const { set, only } = await selectionOption(request);
  const file = positionals[0] as string;
  const inspectFolder = (path: string) => {
    try {
      return inspectZooFolder(resolve(dirname(file), expandPath(path)));
    } catch (error) {
      return { problem: (error as Error).message };
    }
  };
  const plan = planExperiment(await loadExperiment(file, catalogue), { set, only, inspectFolder });
  // Planning leaves as much behind as it keeps. Collected now, it does not add to what follows.
  if (plan.stages.length > manyStages) Bun.gc(true);
  for (const line of formatWarnings(plan.warnings, file)) printError(line);
  return plan;
}

/** The store: --store, or `.exp` beside the experiment file. */
export function openStore(request: Request): Store {
  const folder = optionValue(request, 'store') ?? join(dirname(request.positionals[0] as string), '.exp');
  return new Store(resolve(folder));
}

/** The store: --store, or else the `.exp` of the working directory or of its folder `experiments`. Throws a UsageError where there is none. */
export function findStore(request: Request): Store {
  const given = optionValue(request, 'store');
  const folder = [given ?? '.exp', ...(given ? [] : [join('experiments', '.exp')])].find((path) =>
    existsSync(path),
  );
  if (folder) return new Store(resolve(folder));
  throw new UsageError(
    given ? `there is no store ${given}` : 'there is no store here: neither .exp nor experiments/.exp',
    'name the folder with --store; exp run makes one beside the experiment file',
  );
}

/** --layout and --all: how tables are shown. */
export function viewOption(request: Request): View {
  const layout = layouts.find((name) => name === optionValue(request, 'layout'));
  return { ...(layout ? { layout } : {}), ...(request.switches.has('all') ? { all: true } : {}) };
}

/** --jobs, or undefined. */
export function jobsOption(request: Request): number | undefined {
  const text = optionValue(request, 'jobs');
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new UsageError(`--jobs ${text} is not a number of jobs`, 'e.g. --jobs 2');
  return Number(text);
}

/** --gpus, or undefined. */
export function gpusOption(request: Request): number[] | undefined {
  const text = optionValue(request, 'gpus');
  if (text === undefined) return undefined;
  const numbers = text.split(',').map(Number);
  if (!/^\d{1,3}(,\d{1,3})*$/.test(text) || new Set(numbers).size < numbers.length) {
    throw new UsageError(`--gpus ${text} is not a list of distinct GPUs`, 'e.g. --gpus 0,2');
  }
  return numbers;
}

/** --data, EXP_DATA, or undefined. */
export function dataOption(request: Request): string | undefined {
  const folder = optionValue(request, 'data') ?? process.env.EXP_DATA;
  if (!folder) return undefined;
  if (!existsSync(folder))
    throw new UsageError(`there is no data folder ${folder}`, 'give an existing one with --data or EXP_DATA');
  return resolve(folder);
}

/** `a.b=1` -> {'a.b': 1}; values are YAML. */
async function parseSet(entries: readonly string[]): Promise<Record<string, Json>> {
  if (entries.length === 0) return {};
  const { parse } = await import('yaml');
  const set: Record<string, Json> = {};
  for (const entry of entries) {
    const [name, value] = splitAtEquals(entry, '--set', 'sane.epochs=10');
    try {
      set[name] = parse(value);
    } catch {
      throw new UsageError(`--set ${entry}: the value is not YAML`, 'e.g. --set sane.epochs=10');
    }
  }
  return set;
}

/** `a=1,2,b=3` -> {a: ['1', '2'], b: ['3']}. */
function parseOnly(entries: readonly string[]): Record<string, string[]> {
  const only: Record<string, string[]> = {};
  for (const entry of entries) {
    let values: string[] | undefined;
    for (const piece of entry.split(',')) {
      if (values && !piece.includes('=')) {
        values.push(piece);
        continue;
      }
      const [axis, value] = splitAtEquals(piece, '--only', 'dataset=mnist,seed=0,1');
      values = only[axis] ?? [];
      only[axis] = values;
      values.push(value);
    }
  }
  return only;
}

function splitAtEquals(text: string, option: string, example: string): [string, string] {
  const index = text.indexOf('=');
  if (index < 1 || index === text.length - 1) {
    throw new UsageError(`${option} ${text}: expected name=value`, `e.g. ${option} ${example}`);
  }
  return [text.slice(0, index), text.slice(index + 1)];
}
