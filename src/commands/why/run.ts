/** `exp why <file> <run>`: for each stage of a run, which fields of its key differ from the most similar finished artefact. */
import { didYouMean } from '../../experiment/suggest.ts';
import { show } from '../../experiment/translate.ts';
import type { Plan, Run, StageNode } from '../../experiment/types.ts';
import { type Difference, explainKey } from '../../experiment/why.ts';
import type { Store } from '../../runner/store.ts';
import type { Request } from '../arguments.ts';
import { loadPlan, openStore } from '../option-values.ts';
import { print, printJson, style } from '../output.ts';
import { UsageError } from '../usage.ts';

/** Returns the exit code. */
export async function whyCommand(request: Request): Promise<number> {
  const plan = await loadPlan(request);
  const store = openStore(request);
  const run = findRun(plan, request.positionals[1] as string);
  for (const node of stagesOf(plan, run)) {
    const explained = explain(node, store);
    if (request.switches.has('json'))
      printJson({ event: 'why', stage: node.stage, key: node.key, ...explained });
    else print(`${style('bold', node.label)} ${node.key}\n${describe(explained)}`);
  }
  return 0;
}

function findRun(plan: Plan, id: string): Run {
  const run = plan.runs.find((one) => one.id === id);
  if (run) return run;
  const ids = plan.runs.map((one) => one.id);
  throw new UsageError(`unknown run: ${id}`, didYouMean(id, ids) ?? `e.g. ${ids.slice(0, 5).join('  ')}`);
}

/** The stages that a run's result depends on, inputs first. */
function stagesOf(plan: Plan, run: Run): StageNode[] {
  const needed = new Set([run.resultKey]);
  const reversed = plan.stages.toReversed().filter(({ key, inputs }) => {
    if (!needed.has(key)) return false;
    for (const input of Object.values(inputs)) needed.add(input);
    return true;
  });
  return reversed.toReversed();
}

type Explanation =
  | { state: 'cached' }
  | { state: 'damaged'; damage: string }
  /** Nothing of this stage is finished yet. */
  | { state: 'new' }
  | { state: 'changed'; nearest: string; differences: Difference[] };

function explain(node: StageNode, store: Store): Explanation {
  const found = store.find(node);
  if (found?.state === 'complete') return { state: 'cached' };
  if (found) return { state: 'damaged', damage: found.damage };
  const finished = store.list([node.stage]).flatMap((one) => (one.state === 'complete' ? [one.record] : []));
  const explained = explainKey(node, finished);
  if (!explained) return { state: 'new' };
  return { state: 'changed', nearest: explained.nearest.key, differences: explained.differences };
}

function describe(explained: Explanation): string {
  switch (explained.state) {
    case 'cached':
      return '  finished: nothing to compute';
    case 'damaged':
      return `  damaged: ${explained.damage}`;
    case 'new':
      return '  not computed yet, and no finished stage to compare it with';
    case 'changed': {
      const rows = explained.differences.map(
        ({ field, before, now }) => `    ${field}: ${show(before)} -> ${show(now)}`,
      );
      return [`  not computed yet; differs from the finished ${explained.nearest} in`, ...rows].join('\n');
    }
  }
}
