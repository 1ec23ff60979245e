/** The command line of fuzz. */
import { parseArgs } from 'node:util';

/** A mistake in the command line. */
export class UsageError extends Error {}

export interface Options {
  /** The seed of the first round; each round after it has the next one. */
  seed: number;
  /** How long rounds are started; one round where it is undefined. */
  minutes: number | undefined;
  areas: string[];
}

export const help = (areas: readonly string[]) => `bun run fuzz [options]

Runs the tests of random numbers and shapes with new seeds, again and again. Prints for each failure the command that repeats it.

  --minutes N    how long (10; one round where a seed is given)
  --seed S       seed of the first round; those after it have S + 1, S + 2, ... (a new one)
  --only AREA    an area, or all whose names contain it; may be repeated
  --help

Areas:
${areas.map((area) => `  ${area}`).join('\n')}`;

/** Reads the arguments; undefined if only help is asked for. `freshSeed` is that of a command that gives none. Throws a UsageError. */
export function parseArguments(
  args: readonly string[],
  areas: readonly string[],
  freshSeed: number,
): Options | undefined {
  const values = read(args);
  if (values.help) return undefined;
  const chosen = (values.only ?? ['']).flatMap((name) => {
    // A name that is an area's own selects no other that contains it.
    const found = areas.includes(name) ? [name] : areas.filter((area) => area.includes(name));
    if (found.length === 0) throw new UsageError(`--only ${name}: no area contains this; --help lists them`);
    return found;
  });
  const minutes = values.minutes ?? (values.seed === undefined ? '10' : undefined);
  return {
    seed: values.seed === undefined ? freshSeed : wholeNumber('--seed', values.seed),
    minutes: minutes === undefined ? undefined : positive('--minutes', minutes),
    areas: [...new Set(chosen)].sort(),
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        seed: { type: 'string' },
        only: { type: 'string', multiple: true },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(/\.\s|\.$/)[0]}; --help lists the options`);
  }
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new UsageError(`${option} ${text}: expected a whole number, e.g. ${option} 123`);
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UsageError(`${option} ${text}: expected a number above 0, e.g. ${option} 10`);
}
