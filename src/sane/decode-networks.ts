/** Networks out of SANE, from networks in files: their reconstructions, and samples near them. */
import { Random } from '../base/random.ts';
import { FormatError } from '../base/source.ts';
import type { StateDict } from '../nets/architecture.ts';
import type { Network } from '../zoo/formats/network.ts';
import type { StateTensor } from '../zoo/formats/write-torch.ts';
import { decodeModels } from './decode.ts';
import { type Density, drawWithPrompt } from './draw.ts';
import { embedModels } from './embed.ts';
import { seenTokens, signatureOf } from './embed-networks.ts';
import { type PreparedNetwork, type Pretrained, prepareNetwork } from './pretrained.ts';
import { promptDistance } from './prompt-distance.ts';
import { embeddingSpread } from './spread.ts';
import { destandardize } from './standardize.ts';
import { unflatten, withUntokenized } from './tokenize.ts';

/** One network's reconstruction, its tensors in the file's order; what SANE does not encode is as in the file. */
export async function reconstructNetwork(
  pretrained: Pretrained,
  path: string,
  window: number | null,
): Promise<StateTensor[]> {
  const prepared = await prepareNetwork(pretrained, path);
  const embedding = await embeddingOf(pretrained, prepared, window);
  return prepared.network.restore(
    weightsOf(prepared, await decodedFlat(pretrained, prepared, embedding, window)),
  );
}

export interface Sampling extends Pick<Density, 'bandwidth' | 'draws'> {
  count: number;
  /** What the bandwidth is a multiple of: the spread of the embeddings of SANE's training models, or else of the prompts'; or 1. */
  unit: 'spread' | 'absolute';
  seed: number;
  window: number | null;
}

/** Numbers of all prompts that are held to measure distances by: 1 GiB. */
const numbersMeasured = 2 ** 28;

/** A new network. */
export interface SampledNetwork extends Pick<Network, 'restore'> {
  /** By the prompts' names. */
  weights: StateDict;
  /** To the nearest prompt (promptDistance); null where there are more prompts than memory should hold for this. */
  distance: number | null;
}

/**
 * New networks from kernel densities around the prompts' token embeddings (equation 7), one after the other; each has a random stream of its
 * own. What SANE does not encode is as in the prompt that the sample is near, since it belongs to that network's order of units; of independent
 * draws, as in the first prompt. Throws a FormatError if a prompt cannot be read, or they differ in their tensors.
 */
export async function* sampleNetworks(
  pretrained: Pretrained,
  prompts: readonly string[],
  { count, seed, window, bandwidth, draws, unit }: Sampling,
): AsyncGenerator<SampledNetwork> {
  const [first, ...others] = prompts as readonly [string, ...string[]];
  const base = await prepareNetwork(pretrained, first);
  const embeddings = [await embeddingOf(pretrained, base, window)];
  const canMeasure = base.flat.length * prompts.length <= numbersMeasured;
  const flats = [base.flat];
  for (const path of others) {
    const prompt = await prepareNetwork(pretrained, path);
    if (signatureOf(prompt) !== signatureOf(base)) {
      throw new FormatError(
        `${path}: a network with other tensors than ${first}; prompts have one architecture`,
      );
    }
    embeddings.push(await embeddingOf(pretrained, prompt, window));
    if (canMeasure) flats.push(prompt.flat);
  }
  const { latent_dim: latent } = pretrained.sane.shape;
  // Without noise there is nothing to measure.
  const scale =
    unit === 'absolute' || bandwidth === 0 ? 1 : (base.zoo.spread ?? (await embeddingSpread(embeddings)));
  if (!scale) {
    throw new FormatError(
      `${first}: ${others.length === 0 ? 'one prompt has' : 'equal prompts have'} no spread to measure the bandwidth by, and this SANE does not say that of its training models; name more prompts, or give --bandwidth-unit absolute`,
    );
  }
  const distance = canMeasure ? promptDistance(flats) : null;
  const density = { latent, draws, bandwidth: bandwidth * scale };
  for (let i = 0; i < count; i++) {
    const { embedding, prompt } = drawWithPrompt(embeddings, density, new Random(seed, 'sample', i));
    const near = prompt ? await prepareNetwork(pretrained, prompts[prompt] as string) : base;
    const flat = await decodedFlat(pretrained, near, embedding, window);
    yield {
      weights: weightsOf(near, flat),
      restore: near.network.restore,
      distance: distance?.(flat) ?? null,
    };
  }
}

async function embeddingOf(
  pretrained: Pretrained,
  prepared: PreparedNetwork,
  window: number | null,
): Promise<Float32Array> {
  const { layout, flat } = prepared;
  const seen = seenTokens(pretrained, prepared, window);
  const [embedding] = await Array.fromAsync(embedModels(pretrained.sane, layout, [flat], seen));
  return embedding as Float32Array;
}

/** The flat vector that SANE decodes an embedding to. */
async function decodedFlat(
  pretrained: Pretrained,
  prepared: PreparedNetwork,
  embedding: Float32Array,
  window: number | null,
): Promise<Float32Array> {
  const seen = seenTokens(pretrained, prepared, window);
  const decoding = decodeModels(pretrained.sane, prepared.layout, [embedding], { halo: true, seen });
  const [flat] = await Array.fromAsync(decoding);
  return flat as Float32Array;
}

/** The weights of a network with this flat vector; what no token holds is that of `network`. */
function weightsOf(
  { network, description, layout, raw, standardization }: PreparedNetwork,
  flat: Float32Array,
): StateDict {
  const scaled = standardization === null ? flat : destandardize(layout, flat, standardization);
  return new Map([...network.weights, ...unflatten(description, withUntokenized(layout, scaled, raw))]);
}
