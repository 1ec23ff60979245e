/** `exp table <file>`: the tables again, from the runs that are finished. Computes nothing. */
import { survey } from '../../runner/survey.ts';
import type { Request } from '../arguments.ts';
import { loadPlan, openStore, outFolder, viewOption } from '../option-values.ts';
import { checkFolder } from '../output.ts';
import { collectResults, present } from '../results.ts';

/** Returns the exit code. */
export async function tableCommand(request: Request): Promise<number> {
  const plan = await loadPlan(request);
  const store = openStore(request);
  const outDir = outFolder(request, plan.name);
  checkFolder(outDir, '--out');
  const states = await survey(plan, store, { retryFailed: false });
  const results = await collectResults(plan, store, (key) => {
    const state = states.get(key);
    return state?.state === 'failed' ? state.failure : undefined;
  });
  return present(plan, store, results, {
    outDir,
    view: viewOption(request),
    json: request.switches.has('json'),
  });
}
