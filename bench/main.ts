/**
 * `bun run bench`: this project against PyTorch, on the CPU or a GPU. Exit codes: 0 every ratio wanted is reached, 1 one is missed or a
 * row failed, 2 the arguments are wrong or a side cannot start.
 */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseDevice } from '../src/runner/choose-device.ts';
import { DeviceError } from '../src/tensor/devices/registry.ts';
import { help, parseArguments } from './arguments.ts';
import { type Conditions, measureRow } from './measure.ts';
import { measureDevicePeak, measurePeak } from './peak.ts';
import { findPython } from './python.ts';
import { failureOf, type RowResult, resultOf } from './result.ts';
import { BenchError, type Row } from './row.ts';
import { rowSets } from './rows/registry.ts';
import { drawTable } from './table.ts';

const resultsFolder = join(import.meta.dir, '..', 'results', 'bench');

async function main(): Promise<number> {
  const options = parseArguments(process.argv.slice(2), rowSets, process.env);
  if (!options) {
    console.log(help);
    return 0;
  }
  const { rounds, threads, set } = options;
  // Before anything else is done: without a GPU there is nothing to measure.
  if (set === 'gpu') await chooseDevice('gpu');
  const python = await findPython(options.python, (line) => console.error(line));
  const torchDevice = set === 'gpu' ? 'cuda' : 'cpu';
  const card =
    set === 'cpu'
      ? undefined
      : await measureDevicePeak(python.path, torchDevice, set === 'tiny' ? 256 : 8192);
  const cpu = cpus()[0]?.model.trim();
  const machine = { cpu, cores: cpus().length, threads, rounds, bun: Bun.version, ...python.versions };
  const where = card ? { gpu: card.name, ...card.peaks } : {};
  console.error(
    Object.entries({ ...machine, ...where })
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );

  const folder = await mkdtemp(join(tmpdir(), 'sane-bench-'));
  const results: RowResult[] = [];
  let peakGflops = card?.peaks['PyTorch, float32'] ?? 0;
  try {
    for (const row of options.rows) {
      console.error(`${row.name}: ${row.description}`);
      // The peak is what the machine reached at its quietest.
      if (!card) peakGflops = Math.max(peakGflops, await measurePeak(threads, folder));
      const conditions = { rounds, threads, python: python.path, folder, set, torchDevice } as const;
      const result = await measured(row, conditions, peakGflops, card?.peaks);
      results.push(result);
      if (set !== 'tiny') await keep(row.name, { ...result, machine: { ...machine, ...where } }, set);
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

async function measured(
  row: Row,
  conditions: Conditions,
  peakGflops: number,
  peaks?: Record<string, number>,
): Promise<RowResult> {
  try {
    return resultOf(row, await measureRow(row, conditions), peakGflops, peaks);
  } catch (error) {
    if (error instanceof BenchError) return failureOf(row, error);
    throw error;
  }
}

/** Writes a row's JSON under a temporary name, then renames. */
async function keep(name: string, result: object, set: 'cpu' | 'gpu'): Promise<void> {
  const folder = set === 'gpu' ? join(resultsFolder, 'gpu') : resultsFolder;
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.json`);
  await Bun.write(`${path}.tmp`, `${JSON.stringify(result, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BenchError || error instanceof DeviceError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 2;
}
