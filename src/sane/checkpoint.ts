/** A pretrained SANE or hyper-representation on disk: its weights, and everything needed to use them. */

import { join } from 'node:path';
import { readJson, writeJson } from '../base/files.ts';
import { openSafetensors, writeSafetensors } from '../base/safetensors.ts';
import type { SaneSettings } from '../experiment/types.ts';
import type { Autoencoder, AutoencoderBlock } from './autoencoder.ts';
import { Sane } from './model.ts';
import type { SaneShape } from './parameters.ts';
import type { EpochLosses } from './pretrain.ts';
import type { Standardization } from './standardize.ts';

/** `sane.json` of the artefact. */
export interface SaneDescription {
  architecture: string;
  shape: SaneShape;
  batch_norm_tokens: boolean;
  standardization: SaneSettings['standardization'];
  /** Which of the zoo's checkpoints it was trained on, ascending. */
  epochs: number[];
  /** `embeddingSpread` of the training models at the last of these epochs. */
  embedding_spread: number | null;
}

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
  standardization: Standardization | null,
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
  standardization: Standardization | null;
}> {
  const description = (await readJson(join(dir, names.description[block]))) as Description;
  const standardization = (await readJson(join(dir, names.normalization))) as Standardization | null;
  const file = await openSafetensors(join(dir, names.model));
  try {
    const weights = new Map<string, Float32Array>();
    for (const name of file.names) weights.set(name, await file.readFloats(name));
    return { weights, description, standardization };
  } finally {
    await file.close();
  }
}

/** Loads a pretrained SANE. The model is the caller's to dispose. */
export async function loadSane(
  dir: string,
): Promise<{ sane: Sane; description: SaneDescription; standardization: Standardization | null }> {
  const { weights, ...rest } = await loadAutoencoder<SaneDescription>(dir, 'sane');
  return { sane: new Sane(rest.description.shape, weights), ...rest };
}
