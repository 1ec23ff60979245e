/**
 * `bun bench/streaming.ts [--help]`: SANE on a zoo that does not fit in memory. Writes a synthetic zoo of ResNet-18, trains on it
 * from the disk, prints tokens per second, resident memory and the share of time waited for data, and keeps them in results/bench/.
 * Exit codes: 0 the device waited at most 10 % of the time of the steps, 1 longer, or the training failed.
 */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { TrainReport, TrainRequest } from './streaming/train.ts';
import { forget, writeSyntheticZoo } from './streaming/zoo.ts';

const help = `bun bench/streaming.ts [options]

  --gigabytes N   size of the zoo (20)
  --folder DIR    where it is written, and deleted afterwards (the current one)
  --steps N       steps of training at least (40)
  --width N       d_model of the SANE (128); the paper's token size 288 and window 256, 4 + 4 layers, batch 16 in two views
  --device NAME   (native)
  --threads N     threads of the device (the machine's cores)`;

const mostWaited = 0.1;
const root = join(import.meta.dir, '..');

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '20' },
    folder: { type: 'string', default: '.' },
    steps: { type: 'string', default: '40' },
    width: { type: 'string', default: '128' },
    device: { type: 'string', default: 'native' },
    threads: { type: 'string', default: String(availableParallelism()) },
    help: { type: 'boolean', default: false },
  },
});

async function measure(zoo: string): Promise<object> {
  let told = -1;
  const started = performance.now();
  const written = await writeSyntheticZoo(zoo, Number(values.gigabytes) * 1e9, (done, total) => {
    const percent = Math.floor((10 * done) / total) * 10;
    if (percent > told) console.error(`writing the zoo: ${percent} %`);
    told = percent;
  });
  const writeSeconds = (performance.now() - started) / 1000;
  forget(zoo);
  console.error('training');
  const request: TrainRequest = {
    ...{ zoo, device: values.device, threads: Number(values.threads) },
    ...{ d_model: Number(values.width), steps: Number(values.steps) },
  };
  const loadBefore = loadavg()[0];
  const child = Bun.spawn(['bun', join(import.meta.dir, 'streaming', 'train.ts')], {
    stdin: new Blob([JSON.stringify(request)]),
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const output = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error('the training failed');
  return { ...summary(written, JSON.parse(output) as TrainReport), writeSeconds, loadBefore };
}

function summary(zoo: { bytes: number; checkpoints: number }, report: TrainReport) {
  const { steps, tokensPerStep, peakBytes, statisticsBytes, statisticsSeconds, validation } = report;
  const sum = (numbers: number[]) => numbers.reduce((total, n) => total + n, 0);
  const totalMs = sum(steps.map(({ ms }) => ms));
  const waitedShare = sum(steps.map(({ waitedMs }) => waitedMs)) / totalMs;
  // Before the first step there is nothing to compute meanwhile.
  const shares = steps
    .slice(1)
    .map(({ ms, waitedMs }) => waitedMs / ms)
    .sort((a, b) => a - b);
  const tokensPerSecond = (1000 * steps.length * tokensPerStep) / totalMs;
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  const rows: [string, string][] = [
    ['zoo', `${gigabytes(zoo.bytes)}, ${zoo.checkpoints} checkpoints of ResNet-18`],
    [
      'resident memory, highest',
      `${gigabytes(peakBytes.all)} (statistics ${gigabytes(peakBytes.statistics)})`,
    ],
    ['statistics', `${statisticsSeconds.toFixed(1)} s, ${gigabytes(statisticsBytes / statisticsSeconds)}/s`],
    [
      'training',
      `${steps.length} steps of ${tokensPerStep} tokens, ${(totalMs / steps.length / 1000).toFixed(2)} s each`,
    ],
    ['tokens per second', Math.round(tokensPerSecond).toString()],
    ['waited for data', `${percent(waitedShare)} of all steps`],
    [
      '  after the first step',
      `median ${percent(shares[shares.length >> 1] ?? 0)}, longest ${percent(shares.at(-1) ?? 0)} of a step`,
    ],
    ['  in validation', percent(validation.waitedMs / validation.ms)],
    ['drawn by one thread alone', `${Math.round(report.drawnTokensPerSecond)} tokens per second`],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(26)} ${value}`);
  return { zoo, tokensPerSecond, waitedShare, longestWaitedShare: shares.at(-1), ...report };
}

if (values.help) console.log(help);
else {
  const folder = await mkdtemp(join(values.folder, 'streaming-zoo-'));
  try {
    const machine = { cpu: cpus()[0]?.model.trim(), cores: cpus().length, bun: Bun.version, ...values };
    const result = (await measure(folder)) as { waitedShare: number };
    const path = join(root, 'results', 'bench', `streaming-${values.gigabytes}-gb.json`);
    await mkdir(join(root, 'results', 'bench'), { recursive: true });
    await Bun.write(`${path}.tmp`, `${JSON.stringify({ ...result, machine }, null, 2)}\n`);
    await rename(`${path}.tmp`, path);
    process.exitCode = result.waitedShare <= mostWaited ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}
