/**
 * The alignment of a zoo (Algorithm 1, step ii): every model's permutation towards one reference model, which all splits share.
 * `alignment.json` and one safetensors file per model with an order of each group of hidden units.
 */
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../base/safetensors.ts';
import type { Permutations } from '../nets/permute.ts';
import type { ZooManifest, ZooModel } from '../zoo/zoo.ts';
import type { Matching } from './weight-matching.ts';

/** How a model was aligned. Distances are |reference - model| over all parameters, at the model's last epoch. */
export type AlignedModel = { id: string } & Omit<Matching, 'permutations'>;

/** `alignment.json` of the artefact. */
export interface AlignmentSummary {
  reference: { model: string; epoch: number };
  /** Random orders of the layers that were tried. */
  orders: number;
  models: AlignedModel[];
}

export const summaryName = 'alignment.json';
export const permutationsFile = (dir: string, id: string) => join(dir, 'permutations', `${id}.safetensors`);

/** A model at its last kept epoch, at which its permutation is found. */
export interface LastCheckpoint {
  model: ZooModel;
  epoch: number;
}

/** The models that have a checkpoint, each with its last; those that had diverged before the first have none. */
export function lastCheckpoints({ models }: ZooManifest): LastCheckpoint[] {
  return models.flatMap((model) => {
    const last = model.checkpoints.at(-1);
    return last ? [{ model, epoch: last.epoch }] : [];
  });
}

/** The first training model, at its last epoch. Throws if every training model diverged. */
export function chooseReference(manifest: ZooManifest): LastCheckpoint {
  const first = lastCheckpoints(manifest).find(({ model }) => model.split === 'train');
  if (first) return first;
  throw new Error(
    'no training model of the zoo has a checkpoint that could be the reference; see whether its models diverged, or set sane.alignment: false',
  );
}

/** Keeps one model's permutations in the artefact's folder. */
export function writePermutations(
  dir: string,
  id: string,
  { permutations, ...description }: Matching,
): Promise<void> {
  const tensors = Array.from(permutations, ([name, data]) => ({ name, shape: [data.length], data }));
  return writeSafetensors(permutationsFile(dir, id), tensors, { description: JSON.stringify(description) });
}

/** One model's permutations, and how they were found. Throws an error that names the file if it is missing or damaged. */
export async function readPermutations(
  dir: string,
  id: string,
): Promise<{ permutations: Permutations; description: AlignedModel }> {
  const file = await openSafetensors(permutationsFile(dir, id));
  try {
    const permutations = new Map<string, Int32Array>();
    for (const name of file.names) {
      const order = await file.read(name);
      if (!(order instanceof Int32Array)) throw new Error(`${file.path}: ${name} is no order of units`);
      permutations.set(name, order);
    }
    const description = file.json('description') as Omit<AlignedModel, 'id'>;
    return { permutations, description: { id, ...description } };
  } finally {
    await file.close();
  }
}
