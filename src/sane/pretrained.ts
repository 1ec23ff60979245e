/** A pretrained SANE for networks from files: an artefact of this program, or a checkpoint of the authors' code. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../base/source.ts';
import { loadSane } from './checkpoint.ts';
import type { Sane } from './model.ts';
import { type Network, readNetwork } from './network.ts';
import { positionProblem } from './position-tables.ts';
import { loadReferenceSane } from './reference-checkpoint.ts';
import { readNormalization } from './reference-normalization.ts';
import { type Standardization, standardize } from './standardize.ts';
import { flatten, type TokenLayout, tokenLayout } from './tokenize.ts';

export interface Pretrained {
  sane: Sane;
  /** Null: weights are used as they are. */
  standardization: Standardization | null;
  /** Whether batch norm becomes tokens too. */
  batchNorm: boolean;
  /** Tokens that it saw at once in pretraining; null where nothing says so. */
  window: number | null;
  /** Whether the authors' code made it, which embeds a network in one sequence. */
  reference: boolean;
  /** The spread of its training models' embeddings (spread.ts); null where nothing says so. */
  spread: number | null;
}

export interface PretrainedOptions {
  /** Attention heads; null: as the training's settings say. */
  heads: number | null;
  /** Whether batch norm becomes tokens too, for a checkpoint of the authors' code, which does not say so. */
  batchNorm: boolean;
  /** File of statistics; null: the artefact's own, or none. */
  normalization: string | null;
}

/** Loads what stands at `path`: an artefact's folder, a state.pt, or a folder with one. Throws a FormatError. */
export async function loadPretrained(
  path: string,
  { heads, batchNorm, normalization }: PretrainedOptions,
): Promise<Pretrained> {
  const given = normalization === null ? null : await readNormalization(normalization);
  const isFile = async (name: string) => (await stat(name).catch(() => undefined))?.isFile() ?? false;
  if (await isFile(join(path, 'sane.json'))) {
    const { sane, description, standardization } = await loadSane(path);
    const { batch_norm_tokens } = description;
    return {
      sane,
      window: sane.shape.window,
      standardization: given ?? standardization,
      batchNorm: batch_norm_tokens,
      reference: false,
      spread: description.embedding_spread,
    };
  }
  const file = (await isFile(join(path, 'state.pt'))) ? join(path, 'state.pt') : path;
  if ((await stat(file).catch(() => undefined))?.isDirectory()) {
    throw new FormatError(
      `${path}: this folder holds neither sane.json (an artefact of this program) nor state.pt (a checkpoint of the authors' code)`,
    );
  }
  return {
    ...(await loadReferenceSane(file, heads)),
    standardization: given,
    batchNorm,
    reference: true,
    spread: null,
  };
}

/** A network as SANE sees it. Flat vectors are of the state that the network's description has. */
export interface PreparedNetwork {
  network: Network;
  layout: TokenLayout;
  /** As in the file. */
  raw: Float32Array;
  /** Standardised, where the SANE has statistics. */
  flat: Float32Array;
}

/** Reads a network. Throws a FormatError if the file cannot be read, or the network does not fit the SANE. */
export async function prepareNetwork(pretrained: Pretrained, path: string): Promise<PreparedNetwork> {
  const { sane, standardization, batchNorm } = pretrained;
  const network = await readNetwork(path, batchNorm);
  const layout = tokenLayout(network.description, sane.shape.token_size, batchNorm);
  const problem = positionProblem(layout, sane.shape);
  if (problem)
    throw new FormatError(`${path}: the network has ${problem}: it was pretrained on smaller networks`);
  const raw = flatten(network.description, network.weights);
  if (standardization === null) return { network, layout, raw, flat: raw };
  const missing = layout.layers.find(({ name }) => !(name in standardization));
  if (missing) {
    const known = Object.keys(standardization).slice(0, 5).join(', ');
    throw new FormatError(
      `${path}: there are no statistics to standardise its layer ${missing.name}, only of ${known}…: is it another architecture?`,
    );
  }
  return { network, layout, raw, flat: standardize(layout, raw, standardization) };
}
