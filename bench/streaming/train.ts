/**
 * The training that is measured, in a process of its own so that its memory is its own: `bun bench/streaming/train.ts` reads a
 * TrainRequest as JSON from standard input and writes a TrainReport as JSON.
 */
import { readFileSync } from 'node:fs';
import type { SaneSettings } from '../../src/experiment/types.ts';
import { Sane } from '../../src/sane/model.ts';
import { epochBatches, type PretrainConfig, pretrain } from '../../src/sane/pretrain.ts';
import { tokenLayout } from '../../src/sane/tokenize.ts';
import { ViewLoader } from '../../src/sane/view-loader.ts';
import { findSamples, standardizedSets } from '../../src/sane/zoo-samples.ts';
import { defaults } from '../../src/stages/catalogue.ts';
import { saneShape } from '../../src/stages/sane/run.ts';
import { startDevice } from '../../src/tensor/devices/registry.ts';
import { openZoo } from '../../src/zoo/zoo.ts';

export interface TrainRequest {
  zoo: string;
  device: string;
  threads: number;
  d_model: number;
  /** Steps of training, more by what fills an epoch. */
  steps: number;
}

export interface TrainReport {
  settings: Partial<SaneSettings>;
  /** Finding every checkpoint: the headers of the files. */
  indexSeconds: number;
  /** The pass over the training models that standardisation takes. */
  statisticsSeconds: number;
  statisticsBytes: number;
  /** Per step of training, the first included: all of it and what was waited for the batch, in milliseconds; resident bytes after it. */
  steps: { ms: number; waitedMs: number; resident: number }[];
  tokensPerStep: number;
  validation: { ms: number; waitedMs: number };
  /** Tokens per second that one thread draws when nobody computes. */
  drawnTokensPerSecond: number;
  /** Highest resident memory until after the statistics, and of all. Bytes. */
  peakBytes: { statistics: number; all: number };
  /** Of the machine while it trained: the mean number of processes that wanted to run, over the last minute at the end. */
  load: number;
}

/** The highest resident memory of this process so far, in bytes. */
const peakBytes = () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

const request = (await Bun.stdin.json()) as TrainRequest;
await startDevice(request.device, { threads: request.threads });

let last = performance.now();
const seconds = () => {
  const now = performance.now();
  const passed = (now - last) / 1000;
  last = now;
  return passed;
};

const zoo = await openZoo(request.zoo);
const { architecture } = zoo;
/** The paper's tokens and window for ResNet-18 (Table 8). */
const measured = {
  token_size: 288,
  window: 256,
  layers: 4,
  heads: 8,
  batch_size: 16,
  d_model: request.d_model,
};
const settings = { ...defaults.sane, ...measured };
const layout = tokenLayout(architecture, settings.token_size);
seconds();
const samples = await findSamples(zoo, null, undefined);
const indexSeconds = seconds();
const sets = standardizedSets('per-layer', architecture, layout, samples, ['train', 'val']);
const statisticsSeconds = seconds();
const statisticsPeak = peakBytes();

const config: PretrainConfig = {
  ...settings,
  seed: 0,
  epochs: 1,
  windows_per_sample: Math.ceil((request.steps * settings.batch_size) / samples.train.length),
};
using loader = new ViewLoader([{ origin: { architecture, layout }, sets }]);
const sane = new Sane(saneShape([layout], config), config.seed);
const steps: TrainReport['steps'] = [];
let waited = 0;
const sinceLast = () => {
  const part = { ms: 1000 * seconds(), waitedMs: loader.waitedMs - waited };
  waited = loader.waitedMs;
  return part;
};
await pretrain(sane, loader, config, {
  report: () => steps.push({ ...sinceLast(), resident: process.memoryUsage.rss() }),
});
const validation = sinceLast();

const { window, noise, view_1, view_2, batch_size } = config;
const tokensPerStep = 2 * batch_size * window;
const requests = epochBatches(samples.train.length, config, 1)
  .slice(0, 20)
  .map((batch, b) => ({
    set: 'train',
    samples: batch,
    settings: { window, noise, view_1, view_2 },
    random: [1, 'bench', b] as [number, string, number],
  }));
seconds();
for await (const _ of loader.draw(requests));
const drawnTokensPerSecond = (requests.length * tokensPerStep) / seconds();

const report: TrainReport = {
  settings: measured,
  ...{ indexSeconds, statisticsSeconds, steps, tokensPerStep, validation, drawnTokensPerSecond },
  statisticsBytes: 4 * layout.numbers * samples.train.length,
  peakBytes: { statistics: statisticsPeak, all: peakBytes() },
  load: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
};
console.log(JSON.stringify(report));
