/**
 * Stages for tests of the runner, in the place of the real ones: each takes as long as the test says and fails where it says.
 * The data folder tells them so (`behaviour.json`) and keeps a line of each step that was done (`steps.log`).
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskResult } from '../../src/stages/result.ts';
import type { RunnableStage, StageContext, StageImplementation } from '../../src/stages/stage.ts';

export interface Behaviour {
  /** Steps of the stage; each is a file that is kept. */
  steps?: number;
  stepMs?: number;
  /** Throws this before the step, for one seed or all. */
  fail?: { step: number; message: string; seed?: number };
  /** Ends the worker by this signal before the step. */
  kill?: { step: number; signal: NodeJS.Signals };
  /** Ends the worker without a word. */
  exit?: number;
  print?: string;
  /** Writes the value of this environment variable and the times of begin and end to `environment.log`. */
  tell?: string;
  /** Waits until so many stages of its name have come so far. */
  meet?: number;
  /** A file to write, e.g. one that cannot be written. */
  write?: string;
}

function makeStage(name: string): StageImplementation {
  async function work({ config, inputs, dir, dataDir, report }: StageContext, prefix: string): Promise<void> {
    const behaviours = join(dataDir ?? '', 'behaviour.json');
    const behaviour: Behaviour = existsSync(behaviours)
      ? (JSON.parse(readFileSync(behaviours, 'utf8'))[name] ?? {})
      : {};
    const { steps = 1, stepMs = 0, fail, kill, exit, print, tell, meet = 0, write } = behaviour;
    if (print) console.log(print);
    if (write) appendFileSync(write, 'x');
    if (exit !== undefined) process.exit(exit);
    const begin = Date.now();
    const meeting = join(dataDir ?? '', `${name}-meeting.log`);
    if (meet > 0) appendFileSync(meeting, '.');
    while (meet > 0 && readFileSync(meeting, 'utf8').length < meet) await Bun.sleep(10);
    for (const [input, folder] of Object.entries(inputs)) {
      if (!existsSync(join(folder, 'artefact.json'))) throw new Error(`input ${input} is not finished`);
    }
    const markOf = (step: number) => join(dir, `${prefix}step-${step}`);
    const log = join(dataDir ?? '', 'steps.log');
    const own = `${name} ${config.seed ?? ''} ${prefix}`;
    // An end between telling and keeping a step leaves one that is told: the last line, of the step after those that are kept.
    const next = Array.from({ length: steps }, (_, step) => step).find((step) => !existsSync(markOf(step)));
    if (next && existsSync(log)) {
      const told = readFileSync(log, 'utf8').split('\n');
      if (told.findLast((line) => line.startsWith(own)) === `${own}${next}`)
        writeFileSync(markOf(next), 'done');
    }
    for (let step = 0; step < steps; step++) {
      report({ done: step, total: steps, unit: 'steps', metric: { name: 'loss', value: 1 / (step + 1) } });
      if (existsSync(markOf(step))) continue;
      if (fail?.step === step && (fail.seed ?? config.seed) === config.seed) throw new Error(fail.message);
      if (kill?.step === step) process.kill(process.pid, kill.signal);
      await Bun.sleep(stepMs);
      if (dataDir) appendFileSync(log, `${own}${step}\n`);
      writeFileSync(markOf(step), 'done');
    }
    if (tell) {
      const line = JSON.stringify({ value: process.env[tell] ?? null, begin, end: Date.now() });
      appendFileSync(join(dataDir ?? '', 'environment.log'), `${line}\n`);
    }
  }

  return {
    executePart: (context, part) => work(context, `part-${part}-`),
    async execute(context) {
      await work(context, '');
      if (name !== 'property-prediction') return;
      const { features, targets } = context.config as { features: string[]; targets: string[] };
      const records = features.flatMap((feature) =>
        targets.map((target) => ({
          metric: 'r2',
          labels: { feature, target, split: 'test' },
          value: 0.5,
          seeded: feature.startsWith('sane'),
        })),
      );
      await Bun.write(join(context.dir, 'result.json'), JSON.stringify({ records } satisfies TaskResult));
    },
  };
}

export const stages = Object.fromEntries(
  ['dataset', 'zoo', 'alignment', 'baseline-probes', 'sane', 'property-prediction'].map((name) => [
    name,
    { usesDevice: false, load: async () => makeStage(name) } satisfies RunnableStage,
  ]),
);
