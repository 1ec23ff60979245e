/** A pretrained SANE for networks from files: an artefact of this program, or a checkpoint of the authors' code. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../base/source.ts';
import { recognise } from '../nets/recognise.ts';
import { type Network, type NetworkOptions, readNetwork } from '../zoo/formats/network.ts';
import { loadSane } from './checkpoint.ts';
import type { Sane } from './model.ts';
import { describeTokens, type NetworkDescription } from './network.ts';
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
  /** Reads the networks that it sees. */
  read: (path: string, options: NetworkOptions) => Promise<Network>;
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
  /** As in `Pretrained`; as they are by default. */
  read?: Pretrained['read'];
}

/** Loads what stands at `path`: an artefact's folder, a state.pt, or a folder with one. Throws a FormatError. */
export async function loadPretrained(
  path: string,
  { heads, batchNorm, normalization, read = readNetwork }: PretrainedOptions,
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
      read,
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
    read,
    spread: null,
  };
}

/** A network as SANE sees it. Flat vectors are of the state that the description has. */
export interface PreparedNetwork {
  network: Network;
  description: NetworkDescription;
  layout: TokenLayout;
  /** As in the file. */
  raw: Float32Array;
  /** Standardised, where the SANE has statistics. */
  flat: Float32Array;
  /** What it was standardised by, by the network's own names; null: by nothing. */
  standardization: Standardization | null;
}

/** Reads a network. Throws a FormatError if the file cannot be read, or the network does not fit the SANE. */
export async function prepareNetwork(pretrained: Pretrained, path: string): Promise<PreparedNetwork> {
  const { sane, standardization: statistics, batchNorm } = pretrained;
  // A file without an order of its own has that of the networks that the statistics are of.
  const order = statistics ? Object.keys(statistics) : undefined;
  const network = await pretrained.read(path, { order });
  const description = describeTokens(network, batchNorm);
  const layout = tokenLayout(description, sane.shape.token_size, batchNorm);
  const problem = positionProblem(layout, sane.shape);
  if (problem)
    throw new FormatError(`${path}: the network has ${problem}: it was pretrained on smaller networks`);
  const raw = flatten(description, network.weights);
  const standardization = statistics && statisticsFor(network, layout, statistics);
  const flat = standardization ? standardize(layout, raw, standardization) : raw;
  return { network, description, layout, raw, flat, standardization };
}

/**
 * The statistics of a network's layers, which may have the network's names, those in its file, or those of the architecture that it is
 * recognised as, by which zoos are imported.
 */
function statisticsFor(
  { path, shapes, fileNames }: Network,
  { layers }: TokenLayout,
  statistics: Standardization,
): Standardization {
  const known = new Map(Array.from(recognise(shapes)?.names ?? [], ([name, own]) => [own, name]));
  return Object.fromEntries(
    layers.map(({ name }) => {
      const names = [name, fileNames.get(name), known.get(name)];
      const found = names.find((one) => one !== undefined && one in statistics);
      if (found !== undefined) return [name, statistics[found] as Standardization[string]];
      const first = Object.keys(statistics).slice(0, 5).join(', ');
      throw new FormatError(
        `${path}: there are no statistics to standardise its layer ${name}, only of ${first}…: is it another architecture?`,
      );
    }),
  );
}
