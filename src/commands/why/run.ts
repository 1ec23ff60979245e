/** `exp why <file> <run>`: for each stage of a run, which fields of its key differ from the most similar finished artefact. */
import { stagesByRun } from '../../experiment/run-names.ts';
import { show } from '../../experiment/translate.ts';
import type { StageNode } from '../../experiment/types.ts';
import { type Difference, explainKey } from '../../experiment/why.ts';
import type { Store } from '../../runner/store.ts';
import type { Request } from '../arguments.ts';
import { findRun } from '../find-run.ts';
import { loadPlan, openStore } from '../option-values.ts';
import { print, printJson, style } from '../output.ts';

/** Returns the exit code. */
export async function whyCommand(request: Request): Promise<number> {
  const plan = await loadPlan(request);
  const store = openStore(request);
  const run = findRun(request.positionals[1] as string, plan.runs);
  for (const node of stagesByRun(plan)(run)) {
    const explained = explain(node, store);
    if (request.switches.has('json'))
      printJson({ event: 'why', stage: node.stage, key: node.key, ...explained });
    else print(`${style('bold', node.label)} ${node.key}\n${describe(explained)}`);
  }
  return 0;
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
