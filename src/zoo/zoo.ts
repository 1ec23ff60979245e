/** A finished zoo on disk: `manifest.json` and one safetensors file per model with the weights at each kept epoch. */

import { join } from 'node:path';
import { readJson } from '../base/files.ts';
import { openSafetensors, type SafetensorsFile } from '../base/safetensors.ts';
import { sizeOf } from '../base/shape.ts';
import type { ArchitectureOptions, Outline, StateDict } from '../nets/architecture.ts';
import { getOutline } from '../nets/registry.ts';
import { type FlatFile, joinParts } from './flat-file.ts';
import type { Hyperparameters, Split } from './members.ts';

/**
 * A model's properties at one epoch. Accuracies are fractions, losses mean cross-entropies; null where an imported zoo does not say.
 * `train_*` and `test_*` are of the finished weights on all images, as they are, without dropout. `running_train_*` are what training
 * itself saw in the epoch: each batch's answers before its step, with dropout and augmentation, as the authors' zoos log them; null at
 * epoch 0, in which nothing is trained. Of its training accuracies a checkpoint has one at least.
 */
export interface Checkpoint {
  epoch: number;
  train_accuracy: number | null;
  test_accuracy: number;
  train_loss: number | null;
  test_loss: number | null;
  running_train_accuracy: number | null;
  running_train_loss: number | null;
}

export interface ZooModel {
  id: string;
  /** Its name in the zoo that it was imported from. */
  source?: string;
  seed: number;
  split: Split;
  hyperparameters: Hyperparameters;
  /** Ascending by epoch. Epochs at which the model had diverged are not there. */
  checkpoints: Checkpoint[];
}

export interface ZooManifest {
  architecture: string;
  /** What the architecture was built for. */
  options: ArchitectureOptions;
  dataset: string;
  /** Epochs kept, ascending. */
  epochs: number[];
  models: ZooModel[];
}

export const manifestName = 'manifest.json';
export const modelFile = (dir: string, id: string) => join(dir, 'models', `${id}.safetensors`);
/** The name, in a model's file, of a parameter at an epoch. */
export const tensorName = (epoch: number, parameter: string) => `${epoch}/${parameter}`;
/** The epoch of such a name; undefined of other names. */
export function epochOf(name: string): number | undefined {
  const [, epoch] = /^(\d+)\//.exec(name) ?? [];
  return epoch === undefined ? undefined : Number(epoch);
}

export class Zoo {
  constructor(
    readonly dir: string,
    readonly manifest: ZooManifest,
    readonly architecture: Outline,
  ) {}

  /** The weights of a model at one of its checkpoints. Throws an error naming the file if they are not there as the manifest says. */
  async weights(model: ZooModel, epoch: number): Promise<StateDict> {
    const file = await openSafetensors(modelFile(this.dir, model.id));
    try {
      const weights: StateDict = new Map();
      for (const { name, shape } of this.architecture.state) {
        weights.set(name, await file.readFloats(this.checked(file, epoch, name, shape)));
      }
      return weights;
    } finally {
      await file.close();
    }
  }

  /**
   * Where a model's numbers are at each of these epochs, without reading them: `FlatFile`s in the order of the epochs. Throws an error
   * naming the file if they are not there as the manifest says.
   */
  async locate(model: ZooModel, epochs: readonly number[]): Promise<FlatFile[]> {
    const file = await openSafetensors(modelFile(this.dir, model.id));
    try {
      return epochs.map((epoch) => {
        const tensors = this.architecture.state.map(({ name, shape }) => {
          const info = file.info(this.checked(file, epoch, name, shape));
          return { byte: file.dataStart + info.offsets[0], numbers: sizeOf(shape) };
        });
        return { path: file.path, ...joinParts(tensors) };
      });
    } finally {
      await file.close();
    }
  }

  /** The name of a parameter's tensor in a model's file. Throws if it is missing, or is not what the architecture needs. */
  private checked(file: SafetensorsFile, epoch: number, name: string, shape: readonly number[]): string {
    const tensor = tensorName(epoch, name);
    const found = file.info(tensor);
    if (found.shape.join() !== shape.join()) {
      throw new Error(
        `${file.path}: ${tensor} has shape [${found.shape}], ${this.architecture.name} needs [${shape}]`,
      );
    }
    if (found.dtype !== 'F32') {
      throw new Error(`${file.path}: tensor ${tensor} is ${found.dtype}, expected F32`);
    }
    return tensor;
  }
}

/** Opens the artefact of stage `zoo` in folder `dir`. */
export async function openZoo(dir: string): Promise<Zoo> {
  const manifest = (await readJson(join(dir, manifestName))) as ZooManifest;
  // Manifests of earlier versions do not say what training saw.
  for (const checkpoint of manifest.models.flatMap(({ checkpoints }) => checkpoints)) {
    checkpoint.running_train_accuracy ??= null;
    checkpoint.running_train_loss ??= null;
  }
  return new Zoo(dir, manifest, getOutline(manifest.architecture, manifest.options));
}
