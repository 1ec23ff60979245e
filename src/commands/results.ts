/** The results of a plan's runs: collected, printed and written. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '../base/file-errors.ts';
import { readJson } from '../base/files.ts';
import { plural } from '../base/plural.ts';
import type { Plan } from '../experiment/types.ts';
import type { RunResult } from '../report/measure.ts';
import type { View } from '../report/view.ts';
import type { Failure, Store } from '../runner/store.ts';
import type { Predictions, TaskResult } from '../stages/result.ts';
import { hasColor, print, printError, printJson } from './output.ts';

/** The outcome of every run by its id, and each failure once, by its log. */
export interface Results {
  byRun: Map<string, RunResult>;
  failures: Map<string, { failure: Failure; runs: string[] }>;
  /** What is wrong with the results that were changed since they were written, by their folder. */
  damaged: Map<string, string>;
}

/** Reads the results of a plan's runs; `failureOf` gives why a stage has none. Those that were changed count as missing. */
export async function collectResults(
  plan: Plan,
  store: Store,
  failureOf: (key: string) => Failure | undefined,
): Promise<Results> {
  const nodes = new Map(plan.stages.map((node) => [node.key, node]));
  const byRun: Results['byRun'] = new Map();
  const failures: Results['failures'] = new Map();
  const damaged: Results['damaged'] = new Map();
  for (const { id, resultKey } of plan.runs) {
    const node = nodes.get(resultKey);
    const found = node && (await store.check(node));
    const failure = failureOf(resultKey);
    if (found?.state === 'complete') {
      const { records } = (await readJson(join(found.dir, 'result.json'))) as TaskResult;
      const predictions = found.record.files['predictions.json']
        ? ((await readJson(join(found.dir, 'predictions.json'))) as Predictions)
        : undefined;
      byRun.set(id, { status: 'done', records, ...(predictions && { predictions }) });
    } else if (failure) {
      byRun.set(id, { status: 'failed', reason: failure.reason });
      const same = failures.get(failure.log);
      if (same) same.runs.push(id);
      else failures.set(failure.log, { failure, runs: [id] });
    } else {
      if (found) damaged.set(found.dir, found.damage);
      byRun.set(id, { status: 'missing' });
    }
  }
  return { byRun, failures, damaged };
}

/** Whether any run has ended, well or not. */
export const isAnyFinished = ({ byRun }: Results): boolean =>
  [...byRun.values()].some(({ status }) => status !== 'missing');

/** Why there is no table or report. */
export const noneFinished = ({ root }: Store, what: string): string =>
  `No run is finished in ${root}, so no ${what} was written. Compute them with exp run.`;

/**
 * Prints the tables, writes them, and lists the failures. Returns the exit code. Writes nothing where no run is finished, so that earlier
 * tables are not replaced by empty ones.
 */
export async function present(
  plan: Plan,
  store: Store,
  results: Results,
  { outDir, view, json }: { outDir: string; view: View; json: boolean },
): Promise<0 | 1> {
  const count = (status: RunResult['status']) =>
    [...results.byRun.values()].filter((result) => result.status === status).length;
  const [done, failed, missing] = [count('done'), count('failed'), count('missing')];
  for (const [dir, damage] of results.damaged)
    printError(`${dir} is damaged: ${damage}. It is not used; exp run computes it again.`);
  if (!isAnyFinished(results)) {
    if (json) printJson({ event: 'result', done, failed, missing, failures: [] });
    printError(noneFinished(store, 'table'));
    return 1;
  }
  // Tables take libraries that a run has no use for until its end, and --dry-run none at all.
  const { buildTables } = await import('../report/build.ts');
  const { renderTerminal } = await import('../report/renderers/terminal.ts');
  const { writeTables } = await import('../report/write.ts');
  const tables = buildTables(plan, results.byRun);
  const written = await writeTables(tables, outDir, view).catch((error) => {
    if (error instanceof StorageError) return error;
    throw error;
  });
  const paths = written instanceof StorageError ? [] : written;
  if (json) {
    for (const table of tables) printJson({ event: 'table', table });
    printJson({ event: 'written', paths });
    printJson({ event: 'result', done, failed, missing, failures: [...results.failures.values()] });
  } else {
    if (tables.length > 0) {
      print(renderTerminal(tables, { color: hasColor(process.stdout), view }));
      if (paths.length > 0) printError(`${plural(paths.length, 'file')} written to ${outDir}`);
    } else printError('No run gave a number, so no table was written.');
    if (failed > 0) printError(describeFailures(results, failed));
    if (missing > 0) printError(`${missing} of ${plural(plan.runs.length, 'run')} not computed yet.`);
  }
  // Last, so that it is not overlooked: the tables stand above.
  if (written instanceof StorageError) printError(`exp: ${written.message}`);
  return failed > 0 || results.damaged.size > 0 || written instanceof StorageError ? 1 : 0;
}

const shownFailures = 10;

function describeFailures({ byRun, failures }: Results, failed: number): string {
  const blocks = [...failures.values()].slice(0, shownFailures).map(({ failure, runs }) => {
    const more = runs.length > 1 ? ` and ${runs.length - 1} more` : '';
    const log = existsSync(failure.log) ? `\n    log: ${failure.log}` : '';
    return `  ${runs[0]}${more}: ${failure.reason}${log}`;
  });
  const hidden = failures.size - blocks.length;
  return [
    `${failed} of ${plural(byRun.size, 'run')} failed:`,
    ...blocks,
    ...(hidden > 0 ? [`  and ${plural(hidden, 'more failure', 'more failures')}`] : []),
    'Fix the cause, then run the same command with --retry-failed.',
  ].join('\n');
}
