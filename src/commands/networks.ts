/** What `exp embed`, `exp reconstruct` and `exp sample` have in common: a pretrained SANE on a device, and its options. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { writeSafetensors } from '../base/safetensors.ts';
import { FormatError } from '../base/source.ts';
import { inspect, recordName } from '../runner/artefact.ts';
import { chooseDevice, describeChoice } from '../runner/choose-device.ts';
import { pinProcess } from '../runner/gpus.ts';
import { verify } from '../runner/verify.ts';
import { loadPretrained, type Pretrained } from '../sane/pretrained.ts';
import { startDevice } from '../tensor/devices/registry.ts';
import { checkpointsIn } from '../zoo/formats/checkpoints-in.ts';
import { type NetworkOptions, readNetwork } from '../zoo/formats/network.ts';
import { describeUnused } from '../zoo/formats/unused.ts';
import { type StateTensor, writeTorch } from '../zoo/formats/write-torch.ts';
import { optionValue, type Request, requiredValue } from './arguments.ts';
import { printError } from './output.ts';
import { sanePath } from './sane-path.ts';
import { UsageError } from './usage.ts';

/** Starts a device, on a free GPU if it uses one, and loads the SANE that the options name. The model is the caller's to dispose. Throws a UsageError or a FormatError. */
export async function openPretrained(request: Request): Promise<Pretrained> {
  // Before waiting for a GPU.
  const path = await sanePath(requiredValue(request, 'sane'));
  if (!existsSync(path)) throw new FormatError(`${path}: there is no such file`);
  await checkArtefact(path);
  const heads = countOption(request, 'heads');
  const normalization = optionValue(request, 'normalization') ?? null;
  const choice = await chooseDevice(optionValue(request, 'device') ?? 'auto');
  const gpu = await pinProcess(choice.chosen, () =>
    printError('all GPUs are in use by other processes, waiting'),
  );
  for (const line of describeChoice(choice, gpu ? [gpu] : [])) printError(line);
  await startDevice(choice.chosen.name, { threads: availableParallelism() });
  const batchNorm = request.switches.has('batch-norm');
  const noted = new Set<string>();
  const note = (text: string) => {
    if (!noted.has(text)) printError(text);
    noted.add(text);
  };
  const [read, align] = [networkReader(request), !request.switches.has('unaligned')];
  const pretrained = await loadPretrained(path, { heads, batchNorm, normalization, read, align, note });
  if (align && isAlignedWithoutReference(path, pretrained))
    printError(
      `${path}: its models were aligned, but this artefact, of an earlier version, does not keep the model that they were aligned to: networks are taken as they are`,
    );
  return pretrained;
}

/** Whether a SANE was pretrained on aligned models, and nothing is kept by which others can be. */
function isAlignedWithoutReference(path: string, { zoos }: Pretrained): boolean {
  const found = inspect(path);
  return 'record' in found && found.record.inputs.alignment !== undefined && zoos[0]?.options === null;
}

/** Throws a FormatError where files of an artefact are not what they were when it was finished, as a job finds its inputs. */
async function checkArtefact(path: string): Promise<void> {
  if (!existsSync(join(path, recordName))) return;
  const damage = await verify(resolve(path));
  if (damage !== undefined)
    throw new FormatError(
      `${path}: this artefact is damaged: ${damage}. Run its experiment again, which makes it anew`,
    );
}

/** Reads networks as the options say. What it does not use of a file is printed, once for files that have the same. */
export function networkReader(request: Request): Pretrained['read'] {
  const key = optionValue(request, 'key');
  const printed = new Set<string>();
  return async (path: string, options: NetworkOptions) => {
    const network = await readNetwork(path, { ...options, key });
    const unused = describeUnused(network.unused);
    if (unused !== '' && !printed.has(unused)) printError(`${path}: not used: ${unused}`);
    printed.add(unused);
    return network;
  };
}

/** Paths of checkpoints: those named, and of a folder those in it, by their names. Throws a UsageError for a folder without any. */
export async function networksAt(named: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    named.map(async (path) => {
      if (!(await stat(path).catch(() => undefined))?.isDirectory()) return [path];
      const paths = await checkpointsIn(path);
      if (paths.length > 0) return paths;
      throw new UsageError(`no checkpoint files in ${path}`, 'name files of torch.save or safetensors');
    }),
  );
  return found.flat();
}

/** An option that is a natural number, or null where it is not given. */
export function countOption(request: Request, name: string): number | null {
  const text = optionValue(request, name);
  if (text === undefined) return null;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UsageError(`--${name} ${text} is not a whole number of at least 1`, `e.g. --${name} 8`);
}

/** An option that is a number from 0 on, or `otherwise` where it is not given. */
export function numberOption(request: Request, name: string, otherwise: number): number {
  const text = optionValue(request, name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new UsageError(`--${name} ${text} is not a number of at least 0`, `e.g. --${name} ${otherwise}`);
}

/** The format of new networks, which is the end of their files' names too. */
export const formatOption = (request: Request): string => optionValue(request, 'format') ?? 'safetensors';

/** Writes a network in the format that the file's name ends in. */
export async function writeNetwork(file: string, tensors: readonly StateTensor[]): Promise<void> {
  if (file.endsWith('.pt')) await writeTorch(file, tensors);
  else await writeSafetensors(file, tensors, { format: 'pt' });
}
