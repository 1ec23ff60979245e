/** `exp sample --sane state.pt --prompts <path>... --out <folder>`: new networks near the prompts, as in the paper's section 5.2 without selection. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleNetworks } from '../../sane/decode-networks.ts';
import type { Draws } from '../../sane/draw.ts';
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
import { print, printError } from '../output.ts';
import { UsageError } from '../usage.ts';

const defaultCount = 10;

/** Returns the exit code. Prints the path of each network written, or as JSON `[{file}]`. */
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

  const pretrained = await openPretrained(request);
  await mkdir(out, { recursive: true });
  const json = request.switches.has('json');
  const files: string[] = [];
  const samples = sampleNetworks(pretrained, prompts, {
    count,
    seed: Number(seed),
    window,
    bandwidth,
    draws: draws ?? defaults.generation.draws,
    unit,
  });
  for await (const tensors of samples) {
    const file = join(out, `sample-${String(files.length).padStart(4, '0')}.${format}`);
    await writeNetwork(file, tensors);
    files.push(file);
    if (!json) print(file);
    if (
      files.length === 1 &&
      !pretrained.batchNorm &&
      tensors.some(({ name }) => name.endsWith('running_var'))
    ) {
      printError(
        `Batch-norm statistics are those of the prompts: pass a few batches of images through the samples in training mode before using them.`,
      );
    }
  }
  pretrained.sane.dispose();
  if (json) print(JSON.stringify(files.map((file) => ({ file }))));
  return 0;
}
