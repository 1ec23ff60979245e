/** `exp report <file>`: one page of everything that the finished runs gave. Computes nothing. */
import { survey } from '../../runner/survey.ts';
import type { Request } from '../arguments.ts';
import { loadPlan, openStore, viewOption } from '../option-values.ts';
import { claimFolder, openOutFolder } from '../out-folder.ts';
import { print, printError } from '../output.ts';
import { collectResults, isAnyFinished, noneFinished } from '../results.ts';
import { writeReport } from './write.ts';

/** Returns the exit code. */
export async function reportCommand(request: Request): Promise<number> {
  const plan = await loadPlan(request);
  const store = openStore(request);
  const out = await openOutFolder(request, plan.name);
  const states = await survey(plan, store, { retryFailed: false });
  const results = await collectResults(plan, store, (key) => {
    const state = states.get(key);
    return state?.state === 'failed' ? state.failure : undefined;
  });
  if (!isAnyFinished(results)) {
    printError(noneFinished(store, 'report'));
    return 1;
  }
  print(await writeReport(request, plan, store, results, out.dir, viewOption(request)));
  await claimFolder(out);
  return 0;
}
