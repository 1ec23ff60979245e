/** Runs whose numbers no table shows, as those of transfer. */
import type { Plan, Run } from '../experiment/types.ts';
import { definitionsOf } from './build.ts';
import { groupRuns } from './groups.ts';
import type { RunResults } from './measure.ts';

const shown = 3;

/** One line that names the results of finished runs that no table of the plan holds; undefined if there are none. `fileOf` gives a run's result. */
export function describeUntabled(
  plan: Plan,
  results: RunResults,
  fileOf: (run: Run) => string,
): string | undefined {
  const groups = definitionsOf(plan).flatMap((definition) => groupRuns(definition, plan.runs));
  const held = new Set(groups.flatMap(({ runs }) => runs));
  const others = plan.runs.filter((run) => !held.has(run) && results.get(run.id)?.status === 'done');
  if (others.length === 0) return undefined;
  const files = [...new Set(others.map(fileOf))];
  const more = files.length > shown ? `, and ${files.length - shown} more` : '';
  const one = others.length === 1;
  const what = one ? '1 run is' : `${others.length} runs are`;
  return `${what} in no table of this experiment; ${one ? 'its result' : 'their results'}: ${files.slice(0, shown).join(', ')}${more}`;
}
