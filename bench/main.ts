/**
 * `bun run bench`: this project against PyTorch on the CPU. Exit codes: 0 every ratio wanted is reached, 1 one is missed or a
 * row failed, 2 the arguments are wrong or a side cannot start.
 */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { help, parseArguments } from './arguments.ts';
import { type Conditions, measureRow } from './measure.ts';
import { measurePeak } from './peak.ts';
import { findPython } from './python.ts';
import { failureOf, type RowResult, resultOf } from './result.ts';
import { BenchError, type Row } from './row.ts';
import { rows } from './rows/registry.ts';
import { drawTable } from './table.ts';

const resultsFolder = join(import.meta.dir, '..', 'results', 'bench');

async function main(): Promise<number> {
  const options = parseArguments(process.argv.slice(2), rows, process.env);
  if (!options) {
    console.log(help);
    return 0;
  }
  const { rounds, threads } = options;
  const python = await findPython(options.python, (line) => console.error(line));
  const cpu = cpus()[0]?.model.trim();
  const machine = { cpu, cores: cpus().length, threads, rounds, bun: Bun.version, ...python.versions };
  console.error(
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );

  const folder = await mkdtemp(join(tmpdir(), 'sane-bench-'));
  const results: RowResult[] = [];
  let peakGflops = 0;
  try {
    for (const row of options.rows) {
      console.error(`${row.name}: ${row.description}`);
      // The peak is what the machine reached at its quietest.
      peakGflops = Math.max(peakGflops, await measurePeak(threads, folder));
      const result = await measured(row, { rounds, threads, python: python.path, folder }, peakGflops);
      results.push(result);
      await keep(row.name, { ...result, machine });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(
    `Time ratio, the other side's fastest over ours; medians, quartiles, share of the machine's peak`,
  );
  console.log(drawTable(results));
  return results.every(({ reached }) => reached) ? 0 : 1;
}

async function measured(row: Row, conditions: Conditions, peakGflops: number): Promise<RowResult> {
  try {
    return resultOf(row, await measureRow(row, conditions), peakGflops);
  } catch (error) {
    if (error instanceof BenchError) return failureOf(row, error);
    throw error;
  }
}

/** Writes a row's JSON under a temporary name, then renames. */
async function keep(name: string, result: object): Promise<void> {
  await mkdir(resultsFolder, { recursive: true });
  const path = join(resultsFolder, `${name}.json`);
  await Bun.write(`${path}.tmp`, `${JSON.stringify(result, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
