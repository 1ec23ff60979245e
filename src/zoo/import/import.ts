/** Converts a zoo of other people to this program's format: one file for each model, and a manifest. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeJson } from '../../base/files.ts';
import type { Report } from '../../base/progress.ts';
import { writeSafetensors } from '../../base/safetensors.ts';
import { FormatError } from '../../base/source.ts';
import type { Dataset } from '../../data/dataset.ts';
import { getDataset } from '../../data/registry.ts';
import { type Recognised, recognise } from '../../nets/recognise.ts';
import { type Hyperparameters, splitMembers } from '../members.ts';
import {
  type Checkpoint,
  manifestName,
  modelFile,
  tensorName,
  type ZooManifest,
  type ZooModel,
} from '../zoo.ts';
import type { Dropped, FoundCheckpoint, FoundModel, FoundWeights, FoundZoo } from './found.ts';

export interface ImportOptions {
  /** Null: as the folder says, or else as the weights show. */
  architecture: string | null;
  /** Null: as the folder says. */
  dataset: string | null;
  /** Epochs to take where they are there; null: all. */
  epochs: readonly number[] | null;
  /** How many models at most, the first by their names; null: all. */
  models: number | null;
  /** Shares of the splits and the seed of their shuffle, where the folder gives no splits. */
  split: readonly number[];
  seed: number;
  /** What the models' trainings had, where the folder does not say; hears the architecture and data set. */
  hyperparameters(architecture: string, dataset: string): Hyperparameters;
}

/** Beside the manifest. */
export const droppedName = 'dropped.json';

/**
 * Reads the zoo and writes it into the folder `out`. Checkpoints that cannot be read, that diverged, or of which no accuracy is known are left
 * out, and models of which nothing is left. Throws a FormatError if nothing is left at all, or networks differ.
 */
export async function importZoo(
  found: FoundZoo,
  out: string,
  options: ImportOptions,
  report: Report = () => {},
): Promise<{ manifest: ZooManifest; dropped: Dropped[] }> {
  const dataset = options.dataset ?? found.dataset;
  if (dataset === null)
    throw new FormatError(
      'which images the zoo was trained on is not known: give --dataset, or `dataset` in its zoo.yaml',
    );
  if (found.dataset !== null && found.dataset !== dataset) {
    throw new FormatError(`the zoo was trained on ${found.dataset}, not on ${dataset}: change the dataset`);
  }
  const wanted = options.epochs && new Set(options.epochs);
  const chosen = found.models.slice(0, options.models ?? undefined).map((model) => ({
    ...model,
    checkpoints: model.checkpoints.filter(({ epoch }) => !wanted || wanted.has(epoch)),
  }));
  checkEpochs(found, chosen, options);
  const splits = splitMembers(chosen.length, options.split, options.seed);
  const conversion = new Conversion(out, options.architecture ?? found.architecture, getDataset(dataset));
  await mkdir(join(out, 'models'), { recursive: true });
  const models: ZooModel[] = [];
  const digits = Math.max(4, String(chosen.length - 1).length);
  for (const [i, model] of chosen.entries()) {
    // Names of other people's folders are no file names here.
    const id = `model-${String(i).padStart(digits, '0')}`;
    const checkpoints = await conversion.convert(id, model);
    if (checkpoints.length > 0) {
      const { seed, split, hyperparameters } = model;
      const known = options.hyperparameters(conversion.architecture.name, dataset);
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
  const { architecture, options: built } = conversion.recognised as Recognised;
  const epochs = [...new Set(models.flatMap(({ checkpoints }) => checkpoints.map(({ epoch }) => epoch)))];
  const manifest: ZooManifest = {
    architecture: architecture.name,
    options: built,
    dataset,
    epochs: epochs.sort((a, b) => a - b),
    models,
  };
  await writeJson(join(out, droppedName), dropped);
  await writeJson(join(out, manifestName), manifest);
  return { manifest, dropped };
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

/** The conversion of one model after the other; the first that can be read tells the architecture of all. */
class Conversion {
  readonly dropped: Dropped[] = [];
  recognised: Recognised | undefined;

  constructor(
    private readonly out: string,
    private readonly wanted: string | null,
    private readonly images: Pick<Dataset, 'name' | 'shape'>,
  ) {}

  get architecture() {
    return (this.recognised as Recognised).architecture;
  }

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
      this.architecture.state.map(({ name, shape }) => ({
        name: tensorName(epoch, name),
        shape,
        data: weights.get(name) as Float32Array,
      })),
    );
    await writeSafetensors(modelFile(this.out, id), tensors, { checkpoints: JSON.stringify(checkpoints) });
    return checkpoints;
  }

  /** A checkpoint with the architecture's names, or why it is left out. */
  private async read({ read, path, epoch, measured }: FoundCheckpoint) {
    const { test_accuracy, train_accuracy, running_train_accuracy } = measured;
    if (test_accuracy === null || (train_accuracy === null && running_train_accuracy === null))
      return `no accuracies of epoch ${epoch} are known`;
    let found: FoundWeights;
    try {
      found = await read();
    } catch (error) {
      return (error as Error).message;
    }
    const names = this.namesOf(found, path);
    const weights = new Map<string, Float32Array>();
    for (const [name, stored] of names) {
      const values = found.weights.get(stored) as Float32Array;
      if (!values.every(Number.isFinite))
        return `${stored} has numbers that are not finite: the model diverged`;
      weights.set(name, values);
    }
    return { properties: { epoch, ...measured, test_accuracy }, weights };
  }

  /** Networks for images such as the data set has, or can be made to have: of any size, and grey ones of coloured ones. */
  private fitting(found: Recognised, path: string): Recognised {
    const channels = found.options.input[2];
    const { name, shape } = this.images;
    if (channels === shape[2] || channels === 1) return found;
    throw new FormatError(
      `${path}: a network for images of ${channels} channels, and ${name} is ${shape.join('x')}: name the images that the zoo was trained on`,
    );
  }

  /** The file's names by the architecture's. */
  private namesOf({ shapes }: FoundWeights, path: string): ReadonlyMap<string, string> {
    const name = this.recognised?.architecture.name ?? this.wanted ?? undefined;
    // Many networks take images of any size: those of the data set, if they fit.
    const found =
      recognise(shapes, { ...(name && { name }), input: this.images.shape }) ??
      recognise(shapes, name ? { name } : {});
    if (!found) {
      const asked = name ? `the architecture ${name}` : 'no architecture that is known';
      const known = name ? `it has not the tensors of ${asked}` : `its tensors are those of ${asked}`;
      throw new FormatError(
        `${path}: ${known}; the first are ${[...shapes]
          .slice(0, 3)
          .map(([key, shape]) => `${key} [${shape}]`)
          .join(', ')}`,
      );
    }
    this.recognised ??= this.fitting(found, path);
    if (JSON.stringify(found.options) !== JSON.stringify(this.recognised.options)) {
      throw new FormatError(
        `${path}: a network of another size than those before it; a zoo has one architecture`,
      );
    }
    return found.names;
  }
}
