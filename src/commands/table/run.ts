/** `exp table <file>`: the tables again, from the runs that are finished. Computes nothing. */
import { survey } from '../../runner/survey.ts';
import type { Request } from '../arguments.ts';
import { loadPlan, openStore, viewOption } from '../option-values.ts';
import { claimFolder, openOutFolder } from '../out-folder.ts';
import { collectResults, isAnyFinished, present } from '../results.ts';

/** Returns the exit code. */
export async function tableCommand(request: Request): Promise<number> {
  const plan = await loadPlan(request);
  const store = openStore(request);
  const out = await openOutFolder(request, plan.name);
  const states = await survey(plan, store, { retryFailed: false });
  const results = await collectResults(plan, store, (key) => {
    const state = states.get(key);
    return state?.state === 'failed' ? state.failure : undefined;
  });
  const code = await present(plan, store, results, {
    outDir: out.dir,
    view: viewOption(request),
    json: request.switches.has('json'),
  });
  if (isAnyFinished(results)) await claimFolder(out);
  return code;
}
