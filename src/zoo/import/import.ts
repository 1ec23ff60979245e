/** Converts a zoo of other people to this program's format: one file for each model, and a manifest. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeJson } from '../../base/files.ts';
import type { Report } from '../../base/progress.ts';
import { writeSafetensors } from '../../base/safetensors.ts';
import { FormatError } from '../../base/source.ts';
import type { Dataset } from '../../data/dataset.ts';
import { datasets } from '../../data/registry.ts';
import { type Recognised, recognise, type Sought } from '../../nets/recognise.ts';
import { opaque } from '../../nets/registry.ts';
import { partOf } from '../../nets/state-names.ts';
import type { WrittenArchitecture } from '../../nets/written.ts';
import type { Unused } from '../formats/checkpoint.ts';
import { type Hyperparameters, splitMembers } from '../members.ts';
import {
  type Checkpoint,
  manifestName,
  modelFile,
  tensorName,
  type ZooManifest,
  type ZooModel,
} from '../zoo.ts';
import {
  type Dropped,
  type FoundCheckpoint,
  type FoundModel,
  type FoundNetwork,
  type FoundZoo,
  named,
} from './found.ts';

type Images = Pick<Dataset, 'name' | 'shape'>;

export interface ImportOptions {
  /** Null: as the folder says, or else as the weights show. */
  architecture: string | null;
  /** Its layers, where the registry does not know it. */
  written?: WrittenArchitecture;
  /** Null: as the folder says. */
  dataset: string | null;
  /** The data set's images, where the program does not know it. */
  images?: Images;
  /** Epochs to take where they are there; null: all. */
  epochs: readonly number[] | null;
  /** How many models at most, the first by their names; null: all. */
  models: number | null;
  /** Shares of the splits and the seed of their shuffle, where the folder gives no splits. */
  split: readonly number[];
  seed: number;
  /** What the models' trainings had, where the folder does not say, for this architecture and data set. */
  hyperparameters(architecture: string, dataset: string): Hyperparameters;
}

/** Beside the manifest: checkpoints that were left out, and tensors of the others that no layer has. */
export const droppedName = 'dropped.json';
export const unusedName = 'unused.json';

export interface ImportedZoo {
  manifest: ZooManifest;
  dropped: Dropped[];
  /** What else the files hold, each kind once. */
  unused: Unused[];
}

/**
 * Reads the zoo and writes it into the folder `out`. The architecture is that of most models. Checkpoints that cannot be read, are of another
 * network, diverged, or of which no accuracy is known are left out, and models of which nothing is left. Throws a FormatError if nothing
 * is left at all.
 */
export async function importZoo(
  found: FoundZoo,
  out: string,
  options: ImportOptions,
  report: Report = () => {},
): Promise<ImportedZoo> {
  const dataset = options.dataset ?? found.dataset;
  if (dataset === null)
    throw new FormatError(
      'which images the zoo was trained on is not known: give --dataset, or `dataset` in its zoo.yaml',
    );
  if (found.dataset !== null && found.dataset !== dataset) {
    throw new FormatError(`the zoo was trained on ${found.dataset}, not on ${dataset}: change the dataset`);
  }
  const epochsWanted = options.epochs && new Set(options.epochs);
  const chosen = found.models.slice(0, options.models ?? undefined).map((model) => ({
    ...model,
    checkpoints: model.checkpoints.filter(({ epoch }) => !epochsWanted || epochsWanted.has(epoch)),
  }));
  checkEpochs(found, chosen, options);
  const splits = splitMembers(chosen.length, options.split, options.seed);
  const name = options.architecture ?? found.architecture;
  const written = options.written ?? (options.architecture === null ? found.written : undefined);
  const wanted: Sought = { ...(name !== null && { name }), ...(written && { written }) };
  const recognised = await architectureOfMost(chosen, wanted, options.images ?? imagesOf(dataset));
  const conversion = new Conversion(out, recognised);
  await mkdir(join(out, 'models'), { recursive: true });
  const models: ZooModel[] = [];
  const digits = Math.max(4, String(chosen.length - 1).length);
  for (const [i, model] of chosen.entries()) {
    // Names of other people's folders are no file names here.
    const id = `model-${String(i).padStart(digits, '0')}`;
    const checkpoints = await conversion.convert(id, model);
    if (checkpoints.length > 0) {
      const { seed, split, hyperparameters } = model;
      const known = options.hyperparameters(recognised.architecture.name, dataset);
      const origin = {
        id,
        source: model.id,
        seed: seed ?? i,
        split: split ?? (splits[i] as ZooModel['split']),
      };
      models.push({ ...origin, hyperparameters: { ...known, ...hyperparameters }, checkpoints });
    }
    report({ done: i + 1, total: chosen.length, unit: 'models' });
  }
  const dropped = [...found.dropped, ...conversion.dropped];
  if (models.length === 0)
    throw new FormatError(
      `no checkpoint of the zoo can be used; the first: ${dropped[0]?.path}: ${dropped[0]?.reason}`,
    );
  const { architecture, options: built } = recognised;
  const epochs = [...new Set(models.flatMap(({ checkpoints }) => checkpoints.map(({ epoch }) => epoch)))];
  const manifest: ZooManifest = {
    architecture: architecture.name,
    options: built,
    dataset,
    epochs: epochs.sort((a, b) => a - b),
    models,
  };
  const unused = [...conversion.unused.values()];
  await writeJson(join(out, droppedName), dropped);
  await writeJson(join(out, unusedName), unused);
  await writeJson(join(out, manifestName), manifest);
  return { manifest, dropped, unused };
}

/** The images of a data set that the program knows. Throws a FormatError for others. */
function imagesOf(dataset: string): Images {
  const found = datasets[dataset];
  if (found) return found;
  throw new FormatError(
    `the zoo was trained on ${dataset}, and there are ${Object.keys(datasets).join(', ')}: import it in an experiment that names the images under datasets`,
  );
}

function checkEpochs(found: FoundZoo, chosen: readonly FoundModel[], { epochs }: ImportOptions): void {
  if (chosen.some(({ checkpoints }) => checkpoints.length > 0)) return;
  const there = [
    ...new Set(found.models.flatMap(({ checkpoints }) => checkpoints.map(({ epoch }) => epoch))),
  ];
  if (there.length === 0) throw new FormatError('the zoo has no checkpoint');
  const listed = there.sort((a, b) => a - b).join(', ');
  throw new FormatError(
    `the zoo has no checkpoint of the epochs ${epochs?.join(', ')}; it has ${listed}: set zoo.checkpoints, or --epochs, to some of these`,
  );
}

/** Networks are the same if they have the same architecture, built for the same. */
const signatureOf = ({ architecture, options }: Recognised) => JSON.stringify([architecture.name, options]);

/**
 * What most models are, each by its first checkpoint that can be read; of as many, the first. Throws a FormatError if none is known, or, for
 * a zoo of these images, if others are many too, or it does not fit the images.
 */
export async function architectureOfMost(
  models: readonly FoundModel[],
  wanted: Sought,
  images?: Images,
): Promise<Recognised> {
  const { kinds, problem } = await kindsOf(models, wanted, images);
  const [most] = kinds;
  if (!most) throw new FormatError(problem ?? 'the zoo has no checkpoint');
  if (images) checkKinds(kinds);
  const channels = most.recognised.options.input[2];
  if (!images || channels === images.shape[2] || channels === 1) return most.recognised;
  throw new FormatError(
    `${most.path}: a network for images of ${channels} channels, and ${images.name} is ${images.shape.join('x')}: name the images that the zoo was trained on`,
  );
}

/** Models that are the same network. */
interface Kind {
  recognised: Recognised;
  /** The first checkpoint. */
  path: string;
  count: number;
}

/** The kinds of networks that the models are, most models first, and the first problem with one that is of none. */
async function kindsOf(models: readonly FoundModel[], wanted: Sought, images: Images | undefined) {
  const kinds = new Map<string, Kind>();
  let problem: string | undefined;
  for (const { checkpoints } of models) {
    for (const checkpoint of checkpoints) {
      const shapes = await withNetwork(checkpoint, async (network) => network.shapes);
      if (typeof shapes === 'string') {
        problem ??= named({ path: checkpoint.path, reason: shapes });
        continue;
      }
      const recognised = recogniseFor(shapes, wanted, images);
      if (recognised) {
        const signature = signatureOf(recognised);
        const kind = kinds.get(signature) ?? { recognised, path: checkpoint.path, count: 0 };
        kinds.set(signature, { ...kind, count: kind.count + 1 });
      } else problem ??= named({ path: checkpoint.path, reason: unknown(shapes, wanted.name) });
      break;
    }
  }
  return { kinds: [...kinds.values()].sort((a, b) => b.count - a.count), problem };
}

/** As many models are a zoo, with one in each split, and are no odd ones if they are this share of the largest. */
const leastModels = 3;
const leastShare = 0.1;

/** Throws a FormatError where a folder holds several zoos: all but the largest would be lost. */
function checkKinds(kinds: readonly Kind[]): void {
  const large = kinds.filter(({ count }, i) => {
    const most = (kinds[0] as Kind).count;
    return i === 0 || (count >= leastModels && count >= leastShare * most);
  });
  if (large.length < 2) return;
  const names = large.map(({ recognised }) => recognised.architecture.name);
  const listed = large.map(({ count, path }, i) => `${count} of ${names[i]} such as ${path}`);
  const remedy =
    new Set(names).size === names.length
      ? `name the architecture of each: --architecture ${names[0]}, or zoo: {import: [${names.map((name) => `{folder: …, architecture: ${name}}`).join(', ')}]}`
      : 'as they go by the same name, list the files of each in the zoo.yaml of a folder of its own';
  throw new FormatError(
    `there are several kinds of networks: ${listed.join(', ')}. A zoo has one kind: import them as several zoos; ${remedy}`,
  );
}

/** Many networks take images of any size: those of the data set, if they fit. */
function recogniseFor(shapes: FoundNetwork['shapes'], wanted: Sought, images?: Images) {
  return (images && recognise(shapes, { ...wanted, input: images.shape })) ?? recognise(shapes, wanted);
}

function unknown(shapes: FoundNetwork['shapes'], wanted?: string): string {
  const first = [...shapes].slice(0, 3).map(([key, shape]) => `${key} [${shape}]`);
  return `${whyUnknown(wanted)}; the first are ${first.join(', ')}`;
}

function whyUnknown(wanted: string | undefined): string {
  if (wanted === opaque) return "its tensors are others than those of most of the zoo's networks";
  if (wanted !== undefined) return `it has not the tensors of the architecture ${wanted}`;
  return `its tensors are those of no architecture that is known (take the architecture ${opaque}, which needs no layers, or write them under architectures: in an experiment)`;
}

/** What `use` makes of a checkpoint's network; as text why it cannot be read. */
async function withNetwork<T>(
  { open }: FoundCheckpoint,
  use: (network: FoundNetwork) => Promise<T>,
): Promise<T | string> {
  let network: FoundNetwork | undefined;
  try {
    network = await open();
    return await use(network);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await network?.close();
  }
}

/** The conversion of one model after the other to one architecture. */
class Conversion {
  readonly dropped: Dropped[] = [];
  /** By name without numbers, as those of layers, and by reason. */
  readonly unused = new Map<string, Unused>();

  constructor(
    private readonly out: string,
    private readonly recognised: Recognised,
  ) {}

  /** Writes a model's usable checkpoints, and returns their properties. */
  async convert(id: string, model: FoundModel): Promise<Checkpoint[]> {
    const usable: { properties: Checkpoint; weights: Map<string, Float32Array> }[] = [];
    for (const checkpoint of model.checkpoints) {
      const one = await this.read(checkpoint);
      if (typeof one === 'string') this.dropped.push({ path: checkpoint.path, reason: one });
      else usable.push(one);
    }
    const checkpoints = usable.map(({ properties }) => properties);
    if (usable.length === 0) return checkpoints;
    const tensors = usable.flatMap(({ properties: { epoch }, weights }) =>
      this.recognised.architecture.state.map(({ name, shape }) => ({
        name: tensorName(epoch, name),
        shape,
        data: weights.get(name) as Float32Array,
      })),
    );
    await writeSafetensors(modelFile(this.out, id), tensors, { checkpoints: JSON.stringify(checkpoints) });
    return checkpoints;
  }

  /** A checkpoint with the architecture's names, or why it is left out. */
  private async read(checkpoint: FoundCheckpoint) {
    const { epoch, measured } = checkpoint;
    const { test_accuracy, train_accuracy, running_train_accuracy } = measured;
    if (test_accuracy === null || (train_accuracy === null && running_train_accuracy === null))
      return `no accuracies of epoch ${epoch} are known`;
    const properties = { epoch, ...measured, test_accuracy };
    return withNetwork(checkpoint, async (network) => {
      const names = this.namesOf(network.shapes);
      if (typeof names === 'string') return names;
      for (const one of network.unused) this.unused.set(`${partOf(one.name)} ${one.reason}`, one);
      const found = await network.readAll();
      const weights = new Map<string, Float32Array>();
      for (const [name, stored] of names) {
        const values = found.get(stored) as Float32Array;
        if (!values.every(Number.isFinite))
          return `${stored} has numbers that are not finite: the model diverged`;
        weights.set(name, values);
      }
      return { properties, weights };
    });
  }

  /** A network's names by the architecture's, or why it is another. */
  private namesOf(shapes: FoundNetwork['shapes']): ReadonlyMap<string, string> | string {
    const { architecture, options } = this.recognised;
    const { input, written } = options;
    const found = recognise(shapes, { name: architecture.name, input, ...(written && { written }) });
    if (found && signatureOf(found) === signatureOf(this.recognised)) return found.names;
    const other = recognise(shapes);
    if (other?.architecture.name === architecture.name)
      return `a network of another size than most of the zoo's; a zoo has one architecture`;
    return unknown(shapes, architecture.name);
  }
}
