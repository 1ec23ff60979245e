/** `exp <file>`: computes what is missing, then writes the tables. */
import { availableParallelism } from 'node:os';
import { StorageError } from '../../base/file-errors.ts';
import { plural } from '../../base/plural.ts';
import type { Plan } from '../../experiment/types.ts';
import { chooseDevice, chooseGpus, describeChoice } from '../../runner/choose-device.ts';
import { estimatePlan } from '../../runner/estimate.ts';
import type { Reporter } from '../../runner/events.ts';
import { keepPlan, originOf } from '../../runner/plans.ts';
import { JsonReporter } from '../../runner/reporters/json.ts';
import { PlainReporter } from '../../runner/reporters/plain.ts';
import { TerminalReporter } from '../../runner/reporters/terminal.ts';
import { execute } from '../../runner/scheduler.ts';
import { type ExecuteOptions, jobCount, type StageOutcome } from '../../runner/stage-runner.ts';
import type { Failure, Store } from '../../runner/store.ts';
import { type StageState, survey } from '../../runner/survey.ts';
import { optionValue, type Request } from '../arguments.ts';
import {
  dataOption,
  gpusOption,
  jobsOption,
  loadPlan,
  openStore,
  selectionOption,
  viewOption,
} from '../option-values.ts';
import { claimFolder, openOutFolder } from '../out-folder.ts';
import { hasColor, printError, printJson } from '../output.ts';
import { writeReport } from '../report/write.ts';
import { collectResults, isAnyFinished, present } from '../results.ts';
import { dryRun } from './dry-run.ts';

const interrupted = 130;
const someFailed = 1;

/** Returns the exit code. `stagesModule` is where workers find the stages. */
export async function runCommand(request: Request, stagesModule: string): Promise<number> {
  const { switches } = request;
  const json = switches.has('json');
  const requested = {
    jobs: jobsOption(request),
    device: optionValue(request, 'device'),
    gpus: gpusOption(request),
    dataDir: dataOption(request),
  };
  const plan = await loadPlan(request);
  const store = openStore(request);
  const look = () => survey(plan, store, { retryFailed: switches.has('retry-failed') });
  if (switches.has('dry-run')) {
    return dryRun(plan, await look(), store, { jobs: requested.jobs ?? availableParallelism(), json });
  }
  const out = await openOutFolder(request, plan.name);
  await store.removeLeftovers();
  const { set, only } = await selectionOption(request);
  const origin = originOf(store, request.positionals[0] as string, set, only);
  // Before anything is looked at, so that a gc meanwhile leaves it.
  const refusal = await keepPlan(store, plan, origin).then(
    () => undefined,
    (error: unknown) => error,
  );
  const states = await look();
  const todo = plan.stages.some(({ key }) => states.get(key)?.state === 'compute');
  // A store that may only be read will do where all is finished.
  if (todo && refusal) throw refusal;

  let outcomes: ReadonlyMap<string, StageOutcome> = new Map();
  if (todo) {
    const choice = await chooseDevice(requested.device ?? plan.device);
    const gpus = chooseGpus(choice.chosen, requested.gpus);
    const workers = requested.jobs ?? (gpus.length || availableParallelism());
    const stop = stopOnSignals();
    outcomes = await compute(plan, states, store, workers, {
      device: choice.chosen.name,
      gpus,
      dataDir: requested.dataDir,
      stagesModule,
      failFast: switches.has('fail-fast'),
      signal: stop.signal,
      reporter: makeReporter(json),
      notes: describeChoice(choice, gpus),
    }).finally(stop.ignore);
    if (stop.signal.aborted) {
      const done = plan.runs.filter(({ resultKey }) => outcomes.get(resultKey)?.state === 'done').length;
      if (json) printJson({ event: 'interrupted' });
      printError(
        `Interrupted with ${done} of ${plural(plan.runs.length, 'run')} done. Run the same command to resume.`,
      );
      return interrupted;
    }
  }
  const results = await collectResults(
    plan,
    store,
    (key) => failureOf(states.get(key)) ?? failureOf(outcomes.get(key)),
  );
  const view = viewOption(request);
  const code = await present(plan, store, results, { outDir: out.dir, view, json });
  if (!isAnyFinished(results)) return code;
  try {
    const path = await writeReport(request, plan, store, results, out.dir, view);
    await claimFolder(out);
    if (json) printJson({ event: 'report', path });
    else printError(`Report: ${path}`);
    return code;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    printError(`exp: ${error.message}`);
    return someFailed;
  }
}

async function compute(
  plan: Plan,
  states: ReadonlyMap<string, StageState>,
  store: Store,
  workers: number,
  options: Omit<ExecuteOptions, 'store' | 'workers' | 'cores'> & { notes: string[] },
): Promise<ReadonlyMap<string, StageOutcome>> {
  const startedAt = performance.now();
  const todo = plan.stages.filter(({ key }) => states.get(key)?.state === 'compute');
  const { stages, total } = estimatePlan(plan, states, store, workers);
  const expected = new Map([...stages].map(([key, { seconds }]) => [key, seconds]));
  options.reporter.report({
    event: 'start',
    experiment: plan.name,
    runs: plan.runs.length,
    jobs: todo.reduce((sum, node) => sum + jobCount(node), 0),
    workers,
    store: store.root,
    expectedSeconds: total ?? null,
    expectedWork:
      total === undefined ? null : [...expected.values()].reduce((sum, seconds) => sum + seconds, 0),
  });
  for (const text of options.notes) options.reporter.report({ event: 'note', text });
  try {
    return await execute(plan, states, {
      ...options,
      store,
      workers,
      expected,
      cores: availableParallelism(),
    });
  } finally {
    options.reporter.report({ event: 'end', seconds: (performance.now() - startedAt) / 1000 });
  }
}

function failureOf(state: StageState | StageOutcome | undefined): Failure | undefined {
  return state?.state === 'failed' ? state.failure : undefined;
}

function makeReporter(json: boolean): Reporter {
  if (json) return new JsonReporter((text) => process.stdout.write(text));
  const write = (text: string) => process.stderr.write(text);
  if (!process.stderr.isTTY || process.env.TERM === 'dumb') return new PlainReporter(write);
  return new TerminalReporter({
    write,
    columns: () => process.stderr.columns,
    color: hasColor(process.stderr),
  });
}

/** SIGINT, SIGTERM and SIGHUP abort the signal; a second one exits at once, and the workers notice. */
function stopOnSignals(): { signal: AbortSignal; ignore: () => void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(interrupted);
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, stop);
  return {
    signal: controller.signal,
    // Once one came, a second one finds this process ending, and the exit code is to say why.
    ignore: () => {
      if (controller.signal.aborted) return;
      for (const name of signals) process.off(name, stop);
    },
  };
}
