/** Repeats the tests of areas with one seed after the other. */
import { join } from 'node:path';
import { Random } from '../../src/base/random.ts';
import { seedVariable } from '../seed.ts';
import { testFile } from './areas.ts';
import type { Options } from './arguments.ts';

const project = join(import.meta.dir, '..', '..');

/** Longer than any test file takes: one that has not ended by then hangs. */
const limitMs = 15 * 60_000;

export interface Fuzzing extends Options {
  /** Where the test files are. */
  folder: string;
  /** Processes at once. */
  jobs: number;
  env: Record<string, string | undefined>;
  print: (text: string) => void;
  /** When it fires, no more is started and what runs is killed. */
  signal: AbortSignal;
}

export interface Outcome {
  /** Test files run to their end. */
  runs: number;
  seeds: number;
  /** The commands that repeat what failed. */
  failures: string[];
}

/** Runs each area with each seed in a process of its own, until the time is over. A failure does not end it. */
export async function fuzz({ areas, jobs, print, signal, ...options }: Fuzzing): Promise<Outcome> {
  const deadline = performance.now() + (options.minutes ?? 0) * 60_000;
  let runs = 0;
  const work = rounds(areas, options, () => performance.now() < deadline);
  const seeds = new Set<number>();
  const failures: { seed: number; command: string }[] = [];
  const runAll = async () => {
    for (const { seed, area } of work) {
      if (signal.aborted) return;
      const { ok, output } = await run(options, area, seed, signal);
      if (signal.aborted) return;
      runs++;
      seeds.add(seed);
      if (ok) continue;
      const command = `bun run fuzz --seed ${seed} --only ${area}`;
      failures.push({ seed, command });
      print(`${output.trim()}\n\nFailed: ${area} with seed ${seed}. To repeat it:\n  ${command}\n`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, runAll));
  failures.sort((a, b) => a.seed - b.seed);
  return { runs, seeds: seeds.size, failures: failures.map(({ command }) => command) };
}

/** Every area of the first round; further rounds while there is time, each in an order of its own so that a short time tries others. */
function* rounds(
  areas: readonly string[],
  { seed: first, minutes }: Pick<Options, 'seed' | 'minutes'>,
  timeLeft: () => boolean,
) {
  for (let seed = first; ; seed++) {
    for (const at of new Random(seed, 'fuzz order').permutation(areas.length)) {
      if (minutes !== undefined && !timeLeft()) return;
      yield { seed, area: areas[at] as string };
    }
    if (minutes === undefined) return;
  }
}

/** One test file with one seed: whether all passed, and what was printed about failures. */
async function run(
  { env, folder }: Pick<Fuzzing, 'env' | 'folder'>,
  area: string,
  seed: number,
  signal: AbortSignal,
): Promise<{ ok: boolean; output: string }> {
  const options = ['--no-orphans', '--timeout=300000', '--only-failures'];
  const child = Bun.spawn([process.execPath, 'test', ...options, testFile(folder, area)], {
    cwd: project,
    env: { ...env, [seedVariable]: String(seed) },
    ...{ stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
    ...{ signal, timeout: limitMs },
    // Ctrl-C must not reach it before this process: then it would look like a failure.
    detached: true,
  });
  const output = (await Promise.all([child.stdout.text(), child.stderr.text()])).join('');
  await child.exited;
  const killed = child.signalCode
    ? `\nended by ${child.signalCode} (${limitMs / 60_000} minutes at most)`
    : '';
  return { ok: child.exitCode === 0, output: output + killed };
}

/** The last line: `3 failed of 40 runs of test files with 2 seeds`, and the commands that repeat them. */
export const summarize = ({ runs, seeds, failures }: Outcome): string =>
  [
    ...(failures.length > 0 ? ['To repeat what failed:', ...failures.map((command) => `  ${command}`)] : []),
    `${failures.length} failed of ${runs} runs of test files, ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}`,
  ].join('\n');
