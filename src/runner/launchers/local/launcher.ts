/** Computes on this machine, in worker processes. */
import { availableParallelism } from 'node:os';
import { chooseDevice, chooseGpus, describeChoice } from '../../choose-device.ts';
import { estimatePlan } from '../../estimate.ts';
import { execute } from '../../scheduler.ts';
import { type Launched, type Launcher, LauncherError, type LaunchOptions } from '../launcher.ts';
import { startEvent } from '../start-event.ts';

/** Of a process that gets a second signal to stop: it exits at once, and the workers notice. */
const interrupted = 130;

async function launch(options: LaunchOptions): Promise<Launched> {
  const { plan, states, store, reporter, interrupt } = options;
  if (options.detach)
    throw new LauncherError('--detach leaves jobs in a queue, and here is none', 'add --launcher slurm');
  const choice = await chooseDevice(options.device);
  const gpus = chooseGpus(choice.chosen, options.gpus);
  const workers = options.jobs ?? (gpus.length || availableParallelism());
  options.second.addEventListener('abort', () => process.exit(interrupted));
  const startedAt = performance.now();
  const estimate = estimatePlan(plan, states, store, workers);
  reporter.report(startEvent(options, estimate, workers));
  for (const text of describeChoice(choice, gpus)) reporter.report({ event: 'note', text });
  try {
    const outcomes = await execute(plan, states, {
      ...{ store, reporter, workers, gpus, signal: interrupt },
      device: choice.chosen.name,
      cores: availableParallelism(),
      stagesModule: options.stagesModule,
      dataDir: options.dataDir,
      failFast: options.failFast,
      expected: new Map([...estimate.stages].map(([key, { seconds }]) => [key, seconds])),
    });
    return { state: interrupt.aborted ? 'interrupted' : 'ended', outcomes };
  } finally {
    reporter.report({ event: 'end', seconds: (performance.now() - startedAt) / 1000 });
  }
}

export const local: Launcher = { launch };
