/** `exp <file>`: computes what is missing, then writes the tables. */
import { availableParallelism } from 'node:os';
import { StorageError } from '../../base/file-errors.ts';
import { plural } from '../../base/plural.ts';
import type { Reporter } from '../../runner/events.ts';
import type { Launcher } from '../../runner/launchers/launcher.ts';
import { launchers } from '../../runner/launchers/registry.ts';
import { keepPlan, originOf, planId } from '../../runner/plans.ts';
import { JsonReporter } from '../../runner/reporters/json.ts';
import { PlainReporter } from '../../runner/reporters/plain.ts';
import { TerminalReporter } from '../../runner/reporters/terminal.ts';
import type { StageOutcome } from '../../runner/stage-runner.ts';
import type { Failure } from '../../runner/store.ts';
import { type StageState, survey } from '../../runner/survey.ts';
import { stages } from '../../stages/registry.ts';
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
import { hasColor, print, printError, printJson } from '../output.ts';
import { writeReport } from '../report/write.ts';
import { collectResults, isAnyFinished, present } from '../results.ts';
import { dryRun } from './dry-run.ts';

const interrupted = 130;
const someFailed = 1;

/** Returns the exit code. `stagesModule` is where workers find the stages. */
export async function runCommand(request: Request, stagesModule: string): Promise<number> {
  const { switches } = request;
  const json = switches.has('json');
  const requested = { jobs: jobsOption(request), gpus: gpusOption(request), dataDir: dataOption(request) };
  const device = optionValue(request, 'device');
  const plan = await loadPlan(request);
  const store = openStore(request);
  const launcher = await loadLauncher(optionValue(request, 'launcher') ?? 'local');
  const launch = {
    ...{ plan, store, stagesModule, ...requested },
    device: device ?? plan.device,
    failFast: switches.has('fail-fast'),
    detach: switches.has('detach'),
  };
  const look = () => survey(plan, store, { retryFailed: switches.has('retry-failed') });
  const { set, only } = await selectionOption(request);
  const origin = originOf(store, request.positionals[0] as string, set, only);
  if (switches.has('dry-run')) {
    const states = await look();
    if (launcher.scripts) {
      print(await launcher.scripts({ ...launch, states, planId: planId(plan.name, origin) }));
      return 0;
    }
    return dryRun(plan, states, store, { jobs: requested.jobs ?? availableParallelism(), json });
  }
  const out = await openOutFolder(request, plan.name);
  await store.removeLeftovers(Object.keys(stages));
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
    const stop = listenForSignals();
    const launched = await launcher
      .launch({
        ...launch,
        ...{ states, reporter: makeReporter(json), planId: planId(plan.name, origin) },
        ...{ interrupt: stop.first, second: stop.second },
      })
      .finally(stop.ignore);
    if (launched.state === 'left') {
      const { jobs, others, unsubmitted } = launched;
      if (json) printJson({ event: 'left', jobs, others, unsubmitted });
      printError(
        `${plural(jobs, 'job')} left in the queue${others > 0 ? `, which also has ${plural(others, 'job')} of other experiments that this one waits for` : ''}. The same command returns to them; exp ls shows how far they are, exp cancel cancels them.`,
      );
      if (unsubmitted > 0)
        printError(
          `exp: ${plural(unsubmitted, 'stage')} not in the queue yet; the same command again submits them`,
        );
      return stop.first.aborted ? interrupted : unsubmitted > 0 ? someFailed : 0;
    }
    ({ outcomes } = launched);
    if (launched.state === 'interrupted') {
      const done = plan.runs.filter(({ resultKey }) => outcomes.get(resultKey)?.state === 'done').length;
      if (json) printJson({ event: 'interrupted' });
      printError(
        `Interrupted with ${done} of ${plural(plan.runs.length, 'run')} done. Run the same command to resume.`,
      );
      return interrupted;
    }
    // Workers of a killed run may still have been writing when this one began.
    await store.removeLeftovers(Object.keys(stages));
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

async function loadLauncher(name: string): Promise<Launcher> {
  const found = launchers[name];
  if (!found) throw new Error(`there is no launcher ${name}`);
  return found.load();
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

/** SIGINT, SIGTERM and SIGHUP abort `first`, and another one `second`; a third exits at once. */
function listenForSignals(): { first: AbortSignal; second: AbortSignal; ignore: () => void } {
  const [first, second] = [new AbortController(), new AbortController()];
  const stop = (name: NodeJS.Signals) => {
    if (second.signal.aborted) process.exit(interrupted);
    (first.signal.aborted ? second : first).abort(name);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, stop);
  return {
    first: first.signal,
    second: second.signal,
    // Once one came, a second one finds this process ending, and the exit code is to say why.
    ignore: () => {
      if (first.signal.aborted) return;
      for (const name of signals) process.off(name, stop);
    },
  };
}
