/** `exp table <file>`: the tables again, from the runs that are finished. Computes nothing. */
import { survey } from '../../runner/survey.ts';
import type { Request } from '../arguments.ts';
import { loadPlan, openStore, outFolder, viewOption } from '../option-values.ts';
import { collectResults, present } from '../results.ts';

/** Returns the exit code. */
export async function tableCommand(request: Request): Promise<number> {
  const plan = await loadPlan(request);
  const store = openStore(request);
  const states = survey(plan, store, { retryFailed: false });
  const results = collectResults(plan, store, (key) => {
    const state = states.get(key);
    return state?.state === 'failed' ? state.failure : undefined;
  });
  return present(plan, store, results, {
    outDir: outFolder(request, plan.name),
    view: viewOption(request),
    json: request.switches.has('json'),
  });
}
