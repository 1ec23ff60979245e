/** A pretrained SANE on disk: its weights, and everything needed to use them. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../engine/safetensors.ts';
import type { SaneSettings } from '../experiment/types.ts';
import { Sane } from './model.ts';
import type { SaneShape } from './parameters.ts';
import type { Standardization } from './standardize.ts';

/** `sane.json` of the artefact. */
export interface SaneDescription {
  architecture: string;
  shape: SaneShape;
  batch_norm_tokens: boolean;
  standardization: SaneSettings['standardization'];
  /** Which of the zoo's checkpoints it was trained on, ascending. */
  epochs: number[];
}

const names = { model: 'model.safetensors', description: 'sane.json', normalization: 'normalization.json' };

/** Writes a value as JSON under a temporary name, then renames. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await Bun.write(`${path}.tmp`, `${JSON.stringify(value, undefined, 1)}\n`);
  await rename(`${path}.tmp`, path);
}

/** Keeps a pretrained model in folder `dir`. */
export async function saveSane(
  dir: string,
  sane: Sane,
  description: SaneDescription,
  standardization: Standardization | null,
): Promise<void> {
  await writeSafetensors(join(dir, names.model), sane.weights());
  await writeJson(join(dir, names.normalization), standardization);
  await writeJson(join(dir, names.description), description);
}

/** Loads what `saveSane` wrote. The model is the caller's to dispose. */
export async function loadSane(
  dir: string,
): Promise<{ sane: Sane; description: SaneDescription; standardization: Standardization | null }> {
  const json = async (name: string) => JSON.parse(await readFile(join(dir, name), 'utf8')) as unknown;
  const description = (await json(names.description)) as SaneDescription;
  const standardization = (await json(names.normalization)) as Standardization | null;
  const file = await openSafetensors(join(dir, names.model));
  try {
    const weights = new Map<string, Float32Array>();
    for (const name of file.names) weights.set(name, await file.readFloats(name));
    return { sane: new Sane(description.shape, weights), description, standardization };
  } finally {
    await file.close();
  }
}
