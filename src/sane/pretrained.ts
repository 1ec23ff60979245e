/** A pretrained SANE for networks from files: an artefact of this program, or a checkpoint of the authors' code. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../zoo/formats/source.ts';
import { loadSane } from './checkpoint.ts';
import type { Sane } from './model.ts';
import type { Network } from './network.ts';
import { loadReferenceSane } from './reference-checkpoint.ts';
import { readNormalization } from './reference-normalization.ts';
import { type Standardization, standardize } from './standardize.ts';
import { flatten, type TokenLayout, tokenLayout } from './tokenize.ts';

export interface Pretrained {
  sane: Sane;
  /** Null: weights are used as they are. */
  standardization: Standardization | null;
  /** Whether the authors' code made it, which embeds a network in one sequence. */
  reference: boolean;
}

export interface PretrainedOptions {
  /** Attention heads; null: as the training's settings say. */
  heads: number | null;
  /** File of statistics; null: the artefact's own, or none. */
  normalization: string | null;
}

/** Loads what stands at `path`: an artefact's folder, a state.pt, or a folder with one. Throws a FormatError. */
export async function loadPretrained(
  path: string,
  { heads, normalization }: PretrainedOptions,
): Promise<Pretrained> {
  const given = normalization === null ? null : await readNormalization(normalization);
  const isFile = async (name: string) => (await stat(name).catch(() => undefined))?.isFile() ?? false;
  if (await isFile(join(path, 'sane.json'))) {
    const { sane, standardization } = await loadSane(path);
    return { sane, standardization: given ?? standardization, reference: false };
  }
  const file = (await isFile(join(path, 'state.pt'))) ? join(path, 'state.pt') : path;
  if ((await stat(file).catch(() => undefined))?.isDirectory()) {
    throw new FormatError(
      `${path}: this folder holds neither sane.json (an artefact of this program) nor state.pt (a checkpoint of the authors' code)`,
    );
  }
  return { sane: await loadReferenceSane(file, heads), standardization: given, reference: true };
}

/** A network as SANE sees it: standardised, with the layout of its tokens. Throws a FormatError if it does not fit the model. */
export function prepareNetwork(
  { sane, standardization }: Pretrained,
  network: Network,
): { layout: TokenLayout; flat: Float32Array } {
  const layout = tokenLayout(network.description, sane.shape.token_size);
  checkPositions(sane, layout, network.path);
  const flat = flatten(network.description, network.weights);
  if (standardization === null) return { layout, flat };
  const missing = layout.layers.find(({ name }) => !(name in standardization));
  if (missing) {
    const known = Object.keys(standardization).slice(0, 5).join(', ');
    throw new FormatError(
      `${network.path}: there are no statistics to standardise its layer ${missing.name}, only of ${known}…: is it another architecture?`,
    );
  }
  return { layout, flat: standardize(layout, flat, standardization) };
}

function checkPositions(sane: Sane, { positions, tokens, layers }: TokenLayout, path: string): void {
  const rows = positions.reduce(
    (largest, value, i) => (i % 3 === 2 ? Math.max(largest, value + 1) : largest),
    0,
  );
  const needed = [tokens, layers.length, rows];
  const tables = sane.shape.positions;
  if (needed.every((count, i) => count <= (tables[i] as number))) return;
  throw new FormatError(
    `${path}: the network has ${needed[0]} tokens, ${needed[1]} layers and up to ${needed[2]} rows in a layer; this SANE has positions for ${tables.join(', ')}: it was pretrained on smaller networks`,
  );
}
