/** `bun run fuzz`: the tests of random numbers and shapes with new seeds, for as long as asked for. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { webgpuEnvironment } from '../webgpu-packages.ts';
import { findAreas } from './areas.ts';
import { help, parseArguments, UsageError } from './arguments.ts';
import { fuzz, summarize } from './rounds.ts';

/** Fuzzes with the test files of a folder. Returns the exit code: 1 if a test failed, 2 if the arguments are wrong, else 0. */
export async function main(args: readonly string[], folder: string): Promise<number> {
  const areas = await findAreas(folder);
  try {
    const options = parseArguments(args, areas, Math.floor(Math.random() * 1e6));
    if (!options) {
      console.log(help(areas));
      return 0;
    }
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    const env = { ...process.env, ...(await webgpuEnvironment()) };
    console.log(`${options.areas.length} areas from seed ${options.seed} on`);
    const outcome = await fuzz({
      ...options,
      folder,
      env,
      jobs: availableParallelism(),
      print: (text) => console.log(text),
      signal: stop.signal,
    });
    console.log(summarize(outcome));
    return outcome.failures.length > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`fuzz: ${error.message}`);
    return 2;
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2), join(import.meta.dir, '..')));
