/** The command line of the bench. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { BenchError } from './row.ts';
import type { RowSet } from './rows/registry.ts';

export const help = `bun run bench [options]

Times this project against PyTorch on the CPU; both sides take turns. Prints a table and keeps JSON in results/bench/.

  --gpu           on the GPU instead, both sides on the same card; JSON in results/bench/gpu/
  --try           tries the bench of the GPU itself: small sizes, on the CPU; keeps nothing
  --only NAME     rows whose name begins so; may be repeated
  --rounds N      timed turns of each side (10)
  --threads N     threads of each side (the machine's cores)
  --python PATH   a Python with PyTorch and NumPy; else PYTHON of the environment, else one is installed in the user's cache
  --help`;

export interface Options<T> {
  set: RowSet;
  rows: T[];
  rounds: number;
  threads: number;
  python: string | undefined;
}

/** Reads the arguments; undefined if only help is asked for. Throws a BenchError about the first that is wrong. */
export function parseArguments<T extends { name: string }>(
  args: readonly string[],
  sets: Record<RowSet, () => readonly T[]>,
  environment: Record<string, string | undefined>,
): Options<T> | undefined {
  const { help: helpOnly, only, rounds, threads, python, gpu, try: tries } = read(args);
  if (helpOnly) return undefined;
  const set = tries ? 'tiny' : gpu ? 'gpu' : 'cpu';
  const rows = sets[set]();
  for (const name of only ?? []) {
    if (!rows.some((row) => row.name.startsWith(name))) {
      throw new BenchError(
        `--only ${name}: no row begins so; there are ${rows.map((row) => row.name).join(', ')}`,
      );
    }
  }
  return {
    set,
    rows: rows.filter((row) => !only || only.some((name) => row.name.startsWith(name))),
    rounds: wholeNumber('--rounds', rounds ?? '10'),
    threads: wholeNumber('--threads', threads ?? String(availableParallelism())),
    python: python ?? (environment.PYTHON || undefined),
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        threads: { type: 'string' },
        python: { type: 'string' },
        gpu: { type: 'boolean' },
        try: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new BenchError(`${(error as Error).message}. --help lists the options`);
  }
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new BenchError(`${option} ${text}: a whole number above 0 is needed`);
}
