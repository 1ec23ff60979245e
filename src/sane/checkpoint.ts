/** A pretrained SANE or hyper-representation on disk: its weights, and everything needed to use them. */

import { join } from 'node:path';
import { readJson, writeJson } from '../base/files.ts';
import { openSafetensors, writeSafetensors } from '../base/safetensors.ts';
import type { SaneSettings } from '../experiment/types.ts';
import type { Activation, ArchitectureOptions } from '../nets/architecture.ts';
import type { Autoencoder, AutoencoderBlock } from './autoencoder.ts';
import { Sane } from './model.ts';
import type { SaneShape } from './parameters.ts';
import type { EpochLosses } from './pretrain.ts';
import type { Standardization } from './standardize.ts';

/** A zoo that SANE was pretrained on. */
export interface SaneZoo {
  architecture: string;
  /** What the architecture was built for, its layers too where the program does not know them; null in artefacts of earlier versions. */
  options: ArchitectureOptions | null;
  /** The activation of its models; null where they differ in it. */
  activation: Activation | null;
  /** File of the weights that its models are aligned to; null where they are as they were trained. */
  reference: string | null;
  /** Random orders of the layers in which each was matched to them; left out in artefacts of earlier versions, which tried one. */
  alignment_orders?: number;
  /** `embeddingSpread` of its training models at the last epoch. */
  embedding_spread: number | null;
}

/** `sane.json` of the artefact. */
export interface SaneDescription {
  shape: SaneShape;
  batch_norm_tokens: boolean;
  standardization: SaneSettings['standardization'];
  /** Which of the zoos' checkpoints it was trained on, ascending. */
  epochs: number[];
  zoos: SaneZoo[];
}

/** `sane.json` as earlier versions wrote it. */
type EarlierDescription = Omit<SaneDescription, 'zoos'> & Pick<SaneZoo, 'architecture' | 'embedding_spread'>;

/** `normalization.json`: of several zoos a list. */
type Kept = Standardization | null | readonly (Standardization | null)[];

const names = {
  model: 'model.safetensors',
  normalization: 'normalization.json',
  history: 'history.json',
  description: { sane: 'sane.json', hyper_representation: 'hyper-representation.json' },
};

/** Keeps a pretrained model in folder `dir`. */
export async function saveAutoencoder(
  dir: string,
  model: Autoencoder,
  description: object,
  standardization: Kept,
): Promise<void> {
  await writeSafetensors(join(dir, names.model), await model.weights());
  await writeJson(join(dir, names.normalization), standardization);
  await writeJson(join(dir, names.description[model.block]), description);
}

/** Keeps the losses of each epoch in folder `dir`. */
export const writeHistory = (dir: string, history: readonly EpochLosses[]) =>
  writeJson(join(dir, names.history), history);

/** The losses of each epoch, the last one last. */
export async function readHistory(dir: string): Promise<EpochLosses[]> {
  return (await readJson(join(dir, names.history))) as EpochLosses[];
}

/** What `saveAutoencoder` wrote of a model of this block. */
export async function loadAutoencoder<Description>(
  dir: string,
  block: AutoencoderBlock,
): Promise<{
  weights: Map<string, Float32Array>;
  description: Description;
  standardization: Kept;
}> {
  const description = (await readJson(join(dir, names.description[block]))) as Description;
  const standardization = (await readJson(join(dir, names.normalization))) as Kept;
  const file = await openSafetensors(join(dir, names.model));
  try {
    const weights = new Map<string, Float32Array>();
    for (const name of file.names) weights.set(name, await file.readFloats(name));
    return { weights, description, standardization };
  } finally {
    await file.close();
  }
}

/** Keeps a pretrained SANE, and what the models of each of its zoos are standardised by. */
export function saveSane(
  dir: string,
  sane: Sane,
  description: SaneDescription,
  standardizations: readonly (Standardization | null)[],
): Promise<void> {
  const [first = null] = standardizations;
  return saveAutoencoder(dir, sane, description, standardizations.length > 1 ? standardizations : first);
}

/** Loads a pretrained SANE, with what the models of each of its zoos are standardised by. The model is the caller's to dispose. */
export async function loadSane(
  dir: string,
): Promise<{ sane: Sane; description: SaneDescription; standardizations: (Standardization | null)[] }> {
  const { weights, description, standardization } = await loadAutoencoder<
    SaneDescription | EarlierDescription
  >(dir, 'sane');
  return {
    sane: new Sane(description.shape, weights),
    description: { ...description, zoos: zoosOf(description) },
    standardizations: [standardization].flat() as (Standardization | null)[],
  };
}

function zoosOf(description: SaneDescription | EarlierDescription): SaneZoo[] {
  if ('zoos' in description) return description.zoos;
  const { architecture, embedding_spread } = description;
  return [{ architecture, options: null, activation: null, reference: null, embedding_spread }];
}

/** The file, in an artefact's folder, of the weights that the models of a zoo are aligned to, which are the state's of its architecture. */
export const referenceName = (zoo: number): string => `reference-${zoo + 1}.safetensors`;
