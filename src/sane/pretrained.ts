/** A pretrained SANE for networks from files: an artefact of this program, or a checkpoint of the authors' code. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '../base/source.ts';
import { type Recognised, recognise } from '../nets/recognise.ts';
import { type Network, type NetworkOptions, readNetwork } from '../zoo/formats/network.ts';
import { loadSane } from './checkpoint.ts';
import type { Sane } from './model.ts';
import { describeTokens, type NetworkDescription } from './network.ts';
import { positionProblem } from './position-tables.ts';
import { PretrainedZoo } from './pretrained-zoo.ts';
import { loadReferenceSane } from './reference-checkpoint.ts';
import { readNormalization } from './reference-normalization.ts';
import { type Standardization, standardize } from './standardize.ts';
import { flatten, type TokenLayout, tokenLayout } from './tokenize.ts';

export interface Pretrained {
  sane: Sane;
  /** Those that it was pretrained on; one at least, of which nothing may be known. */
  zoos: readonly PretrainedZoo[];
  /** Whether batch norm becomes tokens too. */
  batchNorm: boolean;
  /** Tokens that it saw at once in pretraining; null where nothing says so. */
  window: number | null;
  /** Whether the authors' code made it, which embeds a network in one sequence. */
  reference: boolean;
  /** Reads the networks that it sees. */
  read: (path: string, options: NetworkOptions) => Promise<Network>;
  /** Whether networks are aligned as those of their zoo were. */
  align: boolean;
  /** Says what a user should know, once for equal texts. */
  note: (text: string) => void;
  /** Gives back the model, and what networks are aligned by. */
  dispose(): void;
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
  /** As in `Pretrained`: true by default. */
  align?: boolean;
  note?: Pretrained['note'];
}

/** Loads what stands at `path`: an artefact's folder, a state.pt, or a folder with one. Throws a FormatError. */
export async function loadPretrained(path: string, options: PretrainedOptions): Promise<Pretrained> {
  const { heads, batchNorm, normalization } = options;
  const { read = readNetwork, align = true, note = () => {} } = options;
  const of = (sane: Sane, zoos: PretrainedZoo[]) => ({
    ...{ sane, zoos, read, align, note },
    dispose: () => {
      sane.dispose();
      for (const zoo of zoos) zoo.dispose();
    },
  });
  const given = normalization === null ? null : await readNormalization(normalization);
  const isFile = async (name: string) => (await stat(name).catch(() => undefined))?.isFile() ?? false;
  if (await isFile(join(path, 'sane.json'))) {
    const { sane, description, standardizations } = await loadSane(path);
    const zoos = description.zoos.map(
      (zoo, i) => new PretrainedZoo(path, zoo, given ?? standardizations[i] ?? null),
    );
    return {
      ...of(sane, zoos),
      window: sane.shape.window,
      batchNorm: description.batch_norm_tokens,
      reference: false,
    };
  }
  const file = (await isFile(join(path, 'state.pt'))) ? join(path, 'state.pt') : path;
  if ((await stat(file).catch(() => undefined))?.isDirectory()) {
    throw new FormatError(
      `${path}: this folder holds neither sane.json (an artefact of this program) nor state.pt (a checkpoint of the authors' code)`,
    );
  }
  const { sane, window } = await loadReferenceSane(file, heads);
  return { ...of(sane, [new PretrainedZoo(file, null, given)]), window, batchNorm, reference: true };
}

/** A network as SANE sees it. Flat vectors are of the state that the description has. */
export interface PreparedNetwork {
  network: Network;
  /** The zoo of its kind, and what it is there; the latter undefined where that is not known. */
  zoo: PretrainedZoo;
  recognised: Recognised | undefined;
  description: NetworkDescription;
  layout: TokenLayout;
  /** As in the file, aligned. */
  raw: Float32Array;
  /** Standardised, where the SANE has statistics. */
  flat: Float32Array;
  /** What it was standardised by, by the network's own names; null: by nothing. */
  standardization: Standardization | null;
}

/** Reads a network. Throws a FormatError if the file cannot be read, or the network does not fit the SANE. */
export async function prepareNetwork(pretrained: Pretrained, path: string): Promise<PreparedNetwork> {
  const { sane, batchNorm } = pretrained;
  const { zoo, recognised, network } = await readOfZoo(pretrained, path);
  const { standardization: statistics } = zoo;
  const description = describeTokens(network, batchNorm);
  const layout = tokenLayout(description, sane.shape.token_size, batchNorm);
  const problem = positionProblem(layout, sane.shape);
  if (problem)
    throw new FormatError(`${path}: the network has ${problem}: it was pretrained on smaller networks`);
  const raw = flatten(description, network.weights);
  const standardization = statistics && statisticsFor(network, layout, statistics, recognised);
  const flat = standardization ? standardize(layout, raw, standardization) : raw;
  return { network, zoo, recognised, description, layout, raw, flat, standardization };
}

/** Reads a network, finds its zoo, and aligns it as the models of that were. */
async function readOfZoo(pretrained: Pretrained, path: string) {
  const { zoos, read, align, note } = pretrained;
  const some = zoos.length > 1 ? await read(path, {}) : undefined;
  const zoo = some ? zooOf(zoos, some) : (zoos[0] as PretrainedZoo);
  // A file without an order of its own has that of the networks that the statistics are of.
  const order = zoo.standardization ? Object.keys(zoo.standardization) : undefined;
  const network = some && !order ? some : await read(path, { order });
  const recognised = zoo.recognise(network.shapes);
  if (!zoo.isAligned || !align) return { zoo, recognised, network };
  if (recognised) return { zoo, recognised, network: await zoo.align(network, recognised) };
  note(
    `${path}: not aligned, as it is another network than the ${zoo.architecture} that this SANE was pretrained on`,
  );
  return { zoo, recognised, network };
}

/** Which of several zoos a network is of. Throws a FormatError if it is of none. */
function zooOf(zoos: readonly PretrainedZoo[], { path, shapes }: Network): PretrainedZoo {
  const found = zoos.find((zoo) => zoo.recognise(shapes));
  if (found) return found;
  const there = zoos.map(({ architecture }) => architecture).join(', ');
  throw new FormatError(
    `${path}: this network is of none of the zoos that the SANE was pretrained on (${there}), so that nothing says how to standardise it`,
  );
}

/**
 * The statistics of a network's layers, which may have the network's names, those in its file, or those of the architecture that it is
 * recognised as, by which zoos are imported.
 */
function statisticsFor(
  { path, shapes, fileNames }: Network,
  { layers }: TokenLayout,
  statistics: Standardization,
  recognised = recognise(shapes),
): Standardization {
  const known = new Map(Array.from(recognised?.names ?? [], ([name, own]) => [own, name]));
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
