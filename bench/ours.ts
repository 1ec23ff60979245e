/**
 * Our side of a row, as a process: `bun bench/ours.ts SET ROW TENSORS THREADS STEPS` prepares the row, writes its weights and inputs
 * to the file TENSORS, and then answers each TurnRequest on standard input with a Turn on standard output, both lines of JSON.
 */

import { writeSafetensors } from '../src/base/safetensors.ts';
import { startDevice } from '../src/tensor/devices/registry.ts';
import type { Row, Turn, TurnRequest } from './row.ts';
import { type RowSet, rowSets } from './rows/registry.ts';

const [set, name, path, threads, steps] = process.argv.slice(2) as [
  RowSet,
  ...[string, string, string, string],
];
const row = rowSets[set]().find((candidate) => candidate.name === name) as Row;
await startDevice(row.device, { threads: Number(threads) });
const work = await row.setup(Number(steps));
await writeSafetensors(path, work.tensors);
console.log(JSON.stringify({ ready: true }));

for await (const line of console) {
  // The end of the input is an empty line.
  if (line === '') break;
  const request = JSON.parse(line) as TurnRequest;
  const start = performance.now();
  for (let i = 0; i < request.steps; i++) await work.step();
  await work.finish?.();
  const ms = (performance.now() - start) / request.steps;
  const turn: Turn = { ms, values: [...(await work.values())] };
  console.log(JSON.stringify(turn));
}
