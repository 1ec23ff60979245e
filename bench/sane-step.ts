/**
 * `bun bench/sane-step.ts`: the time of a SANE-like training step (forward, backward, optimiser) on the wasm device as this
 * project has it, against tfjs's wasm back end untouched, in one run. Two processes take turns, so that whatever else the
 * machine does slows both. Prints a table and keeps the numbers in results/bench/sane-step.json.
 */
import { mkdir, rename } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { sizes } from './sane-model.ts';
import type { Timing } from './sane-step-child.ts';

const warmUps = 2;
const rounds = 5;
/** What was asked of this project: a quarter of the time. */
const requiredRatio = 4;

class Side {
  private readonly child;
  private readonly lines: AsyncIterator<string>;
  readonly timings: Timing[] = [];

  constructor(readonly name: string) {
    const script = join(import.meta.dir, 'sane-step-child.ts');
    this.child = Bun.spawn([process.execPath, script, name], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    });
    this.lines = linesOf(this.child.stdout);
  }

  async step(): Promise<Timing> {
    this.child.stdin.write('\n');
    this.child.stdin.flush();
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`The process of ${this.name} ended; its error stands above.`);
    return JSON.parse(value) as Timing;
  }

  end(): void {
    this.child.stdin.end();
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() as string;
    yield* lines;
  }
}

function summary(timings: Timing[]): { medianMs: number; minMs: number; maxMs: number } {
  const sorted = timings.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (index: number) => sorted[index] as number;
  return { medianMs: at(sorted.length >> 1), minMs: at(0), maxMs: at(sorted.length - 1) };
}

const sides = [new Side('ours'), new Side('untouched')] as const;
for (let round = -warmUps; round < rounds; round++) {
  for (const side of sides) {
    const timing = await side.step();
    if (round >= 0) side.timings.push(timing);
  }
}
for (const side of sides) side.end();

const [ours, untouched] = sides.map(({ timings }) => summary(timings)) as [
  ReturnType<typeof summary>,
  ReturnType<typeof summary>,
];
const ratio = untouched.medianMs / ours.medianMs;
const table = new Table({ head: ['SANE-like step', 'median', 'least', 'most', 'last loss'] });
for (const { name, timings } of sides) {
  const { medianMs, minMs, maxMs } = summary(timings);
  const seconds = [medianMs, minMs, maxMs].map((ms) => `${(ms / 1000).toFixed(3)} s`);
  table.push([`wasm, ${name}`, ...seconds, (timings.at(-1) as Timing).loss.toFixed(6)]);
}
console.log(
  `${ratio.toFixed(1)} times as fast as tfjs's wasm back end untouched (required: ${requiredRatio})`,
);
console.log(table.toString());

const folder = join(import.meta.dir, '..', 'results', 'bench');
await mkdir(folder, { recursive: true });
const record = {
  ratio,
  requiredRatio,
  ours,
  untouched,
  timings: Object.fromEntries(sides.map(({ name, timings }) => [name, timings])),
  conditions: { ...sizes, warmUps, rounds, cpu: cpus()[0]?.model, cores: cpus().length, bun: Bun.version },
};
const target = join(folder, 'sane-step.json');
await Bun.write(`${target}.tmp`, `${JSON.stringify(record, null, 2)}\n`);
await rename(`${target}.tmp`, target);
process.exit(ratio >= requiredRatio ? 0 : 1);
