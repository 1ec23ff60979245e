/**
 * SANE checkpoints of the authors' code: `state.pt` with a state dict under `model`. Its sizes follow from the weights' shapes; the number of
 * attention heads does not, and stands in the `params.json` of the training.
 */

import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sizeOf } from '../base/shape.ts';
import { FormatError } from '../base/source.ts';
import type { StateDict } from '../nets/architecture.ts';
import { type Checkpoint, openCheckpoint } from '../zoo/formats/checkpoint.ts';
import { readJson } from '../zoo/formats/json.ts';
import { Sane } from './model.ts';
import { type SaneShape, saneParameters } from './parameters.ts';

/** The authors' names of settings. */
const settings = { heads: 'ae:nhead', window: 'training::windowsize' };

/** How far above the checkpoint's folder its training's settings are looked for. */
const foldersAbove = 3;

/**
 * Loads the model in `path`; `heads` wins over the settings found. `window`: how many tokens it saw at once in pretraining; null where
 * nothing says so. The model is the caller's to dispose. Throws a FormatError.
 */
export async function loadReferenceSane(
  path: string,
  heads: number | null,
): Promise<{ sane: Sane; window: number | null }> {
  const checkpoint = await openCheckpoint(path);
  try {
    const { window, ...others } = await shapeOf(checkpoint, heads);
    // The length of windows shapes the projection head alone, and where there is one its weights show it.
    const shape: SaneShape = { ...others, window: window ?? 1 };
    const weights: StateDict = new Map();
    for (const { name, shape: expected } of saneParameters(shape)) {
      const found = checkpoint.shapes.get(name);
      // Only pretraining uses the projection head, and not every checkpoint has one.
      const missing = !found && name.startsWith('projection_head.');
      if (!missing && found?.join() !== expected.join()) {
        throw new FormatError(
          `${path}: ${name} has shape [${found ?? 'none'}], the other weights need [${expected}]`,
        );
      }
      const size = sizeOf(expected);
      weights.set(name, missing ? new Float32Array(size) : await checkpoint.read(name));
    }
    return { sane: new Sane(shape, weights), window };
  } finally {
    await checkpoint.close();
  }
}

async function shapeOf(
  { path, shapes }: Checkpoint,
  asked: number | null,
): Promise<Omit<SaneShape, 'window'> & { window: number | null }> {
  const matrix = (name: string): [number, number] => {
    const found = shapes.get(name);
    if (found?.length === 2) return found as [number, number];
    throw new FormatError(`${path}: this is no SANE checkpoint: it has no matrix ${name}`);
  };
  const [d_model, token_size] = matrix('tokenizer.weight');
  const [latent_dim] = matrix('encoder_comp.weight');
  const positions = ['pe.pe1.weight', 'pe.pe2.weight', 'pe.pe3.weight'].map((name) => matrix(name)[0]) as [
    number,
    number,
    number,
  ];
  const block = (i: number) => `transformer_encoder.transformer.${i}.attn.c_attn.weight`;
  matrix(block(0));
  let layers = 1;
  while (shapes.has(block(layers))) layers++;
  const head = shapes.get('projection_head.head.0.weight');
  const [projection_dim, headInputs] = head?.length === 2 ? (head as [number, number]) : [1, 0];
  const trained = await trainingSettings(path);
  const window = headInputs > 0 ? headInputs / latent_dim : (trained.window ?? null);
  const heads = asked ?? trained.heads;
  if (heads === undefined) {
    throw new FormatError(
      `${path}: how many attention heads it has does not show in the weights, and no params.json beside or above it says so (${settings.heads}); give --heads`,
    );
  }
  if (d_model % heads !== 0) {
    const from = asked === null ? trained.path : '--heads';
    throw new FormatError(`${path}: ${heads} heads (${from}) do not divide its width of ${d_model}`);
  }
  return { token_size, d_model, latent_dim, layers, heads, projection_dim, window, positions };
}

/** What the nearest `params.json` beside or above a checkpoint says; empty if there is none. */
async function trainingSettings(path: string): Promise<{ heads?: number; window?: number; path?: string }> {
  let folder = dirname(path);
  for (let i = 0; i <= foldersAbove; i++, folder = dirname(folder)) {
    const file = join(folder, 'params.json');
    if (!(await stat(file).catch(() => undefined))?.isFile()) continue;
    const params = await readJson(file);
    if (typeof params !== 'object' || params === null) continue;
    const natural = (name: string) => {
      const value = (params as Record<string, unknown>)[name];
      return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
    };
    const [heads, window] = [natural(settings.heads), natural(settings.window)];
    if (heads !== undefined) return { heads, path: file, ...(window === undefined ? {} : { window }) };
  }
  return {};
}
