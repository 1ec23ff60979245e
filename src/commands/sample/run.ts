/** `exp sample --sane state.pt --prompts <path>... --out <folder>`: new networks near the prompts, as in the paper's section 5.2 without selection. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Activation } from '../../nets/architecture.ts';
import { type SampledNetwork, sampleNetworks } from '../../sane/decode-networks.ts';
import type { Draws } from '../../sane/draw.ts';
import { type PreparedNetwork, type Pretrained, prepareNetwork } from '../../sane/pretrained.ts';
import { defaults } from '../../stages/catalogue.ts';
import { optionValue, type Request, requiredValue } from '../arguments.ts';
import {
  countOption,
  formatOption,
  networksAt,
  numberOption,
  openPretrained,
  writeNetwork,
} from '../networks.ts';
import { dataOption } from '../option-values.ts';
import { print, printError } from '../output.ts';
import { UsageError } from '../usage.ts';
import { type EvaluatedNetwork, Evaluation, type EvaluationOptions } from './evaluation.ts';

const defaultCount = 10;

const defaultCandidates = 50;

/** As many prompts are evaluated, for comparison. */
const evaluatedPrompts = 10;

/**
 * Samples that are farther from the nearest prompt, as a share of the distance between prompts, are hardly decoded from what SANE knows:
 * on MNIST they had lost a third of the prompts' accuracy and more (results/bench/bandwidth.json).
 */
const farDistance = 0.5;

/** Returns the exit code. Prints the path of each network written, with --evaluate its accuracies, or as JSON `[{file}]`. */
export async function sampleCommand(request: Request): Promise<number> {
  const out = requiredValue(request, 'out');
  const named = [...(request.values.get('prompts') ?? []), ...request.positionals];
  const prompts = await networksAt(named);
  if (prompts.length === 0)
    throw new UsageError('sample needs --prompts', '--prompts a.pt, or a folder of checkpoint files');
  const format = formatOption(request);
  const [count, window] = [countOption(request, 'count') ?? defaultCount, countOption(request, 'window')];
  const seed = optionValue(request, 'seed') ?? '0';
  if (!/^\d{1,9}$/.test(seed)) throw new UsageError(`--seed ${seed} is not a whole number`, 'e.g. --seed 1');
  const bandwidth = numberOption(request, 'bandwidth', defaults.generation.bandwidth);
  const draws = optionValue(request, 'draws') as Draws | undefined;
  const unit = optionValue(request, 'bandwidth-unit') === 'absolute' ? 'absolute' : 'spread';

  const dataset = optionValue(request, 'evaluate');
  const candidates = candidatesOf(request, count, dataset);
  const activation = optionValue(request, 'activation') as Activation | undefined;
  const dataDir = dataOption(request);

  const pretrained = await openPretrained(request);
  const evaluation =
    dataset === undefined
      ? undefined
      : await openEvaluation(pretrained, prompts, { dataset, activation, dataDir, seed: Number(seed) });
  await mkdir(out, { recursive: true });
  const json = request.switches.has('json');
  const written: { file: string; train_accuracy?: number; test_accuracy?: number }[] = [];
  const distances: (number | null)[] = [];
  const drawn = sampleNetworks(pretrained, prompts, {
    count: candidates,
    seed: Number(seed),
    window,
    bandwidth,
    draws: draws ?? defaults.generation.draws,
    unit,
  });
  const chosen: AsyncIterable<SampledNetwork & Partial<EvaluatedNetwork>> | EvaluatedNetwork[] = evaluation
    ? await evaluation.best(drawn, count)
    : drawn;
  for await (const { weights, restore, distance, accuracy } of chosen) {
    const file = join(out, `sample-${String(written.length).padStart(4, '0')}.${format}`);
    await writeNetwork(file, restore(weights));
    written.push({
      file,
      ...(accuracy && { train_accuracy: accuracy.train, test_accuracy: accuracy.test }),
    });
    distances.push(distance);
    if (!json) print(accuracy ? `${file}  test accuracy ${accuracy.test.toFixed(4)}` : file);
    if (
      written.length === 1 &&
      !evaluation &&
      !pretrained.batchNorm &&
      weights.keys().some((name) => name.endsWith('running_var'))
    ) {
      printError(
        `Batch-norm statistics are those of the prompts: pass a few batches of images through the samples in training mode before using them.`,
      );
    }
  }
  warnFar(distances);
  evaluation?.dispose();
  pretrained.dispose();
  if (json) print(JSON.stringify(written));
  return 0;
}

/** How many networks are drawn: --candidates where some are chosen from, else as many as are written. */
function candidatesOf(request: Request, count: number, dataset: string | undefined): number {
  const candidates = countOption(request, 'candidates');
  if (dataset === undefined) {
    if (candidates !== null)
      throw new UsageError('--candidates needs --evaluate, which chooses from them', '--evaluate mnist');
    return count;
  }
  if (candidates !== null && candidates < count)
    throw new UsageError(
      `--candidates ${candidates} is less than --count ${count}`,
      'raise one or lower the other',
    );
  return candidates ?? Math.max(count, defaultCandidates);
}

/** Opens the evaluation and says how well the prompts themselves do: at chance, they are not for these images or run otherwise. */
async function openEvaluation(
  pretrained: Pretrained,
  prompts: readonly string[],
  options: EvaluationOptions,
): Promise<Evaluation> {
  const some: PreparedNetwork[] = [];
  for (const path of prompts.slice(0, evaluatedPrompts)) some.push(await prepareNetwork(pretrained, path));
  const evaluation = await Evaluation.open(some[0] as PreparedNetwork, options);
  const own = await evaluation.testAccuracies(some.map(({ network }) => network.weights));
  const [least, most] = [Math.min(...own), Math.max(...own)].map((accuracy) => accuracy.toFixed(4));
  printError(
    `evaluating ${evaluation.description}; ${own.length === 1 ? 'the prompt has' : `${own.length} prompts have`} a test accuracy of ${least}${least === most ? '' : ` to ${most}`}`,
  );
  return evaluation;
}

/** Says how many samples lie far from every prompt, or that this was not measured. */
function warnFar(distances: readonly (number | null)[]): void {
  const known = distances.filter((distance) => distance !== null);
  if (known.length < distances.length)
    printError('the prompts are too large together to measure how far the samples lie from them');
  const far = known.filter((distance) => distance > farDistance);
  if (far.length === 0) return;
  printError(
    `warning: ${far.length} of ${known.length} samples are far from every prompt, up to ${Math.max(...far).toFixed(2)} of the distance between prompts (one prompt: of its length); such networks are seldom accurate: lower --bandwidth or use --draws shared, or this SANE reconstructs the prompts badly`,
  );
}
