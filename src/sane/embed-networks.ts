/** Mean embeddings of networks in files, one after the other, in little memory. */

import { FormatError } from '../base/source.ts';
import { embedModels, meanEmbedding } from './embed.ts';
import { type PreparedNetwork, type Pretrained, prepareNetwork } from './pretrained.ts';

/** The longest network that is seen in one sequence, whose attention grows with the square of its tokens. */
const longestSequence = 4096;

/** Networks that are in memory together: as many as these numbers, and one more. */
const numbersTogether = 8e6;
const networksTogether = 32;

/**
 * The mean embedding of each network, in the order given. `window` is how many tokens are seen at once, a quarter of them on each side
 * as context; null is as the model was made: the authors' code sees a network whole (here one of up to 4,096 tokens; longer ones in windows
 * of pretraining), this program in windows of pretraining (Algorithm 2).
 */
export async function* embedNetworks(
  pretrained: Pretrained,
  paths: readonly string[],
  window: number | null,
): AsyncGenerator<{ path: string; embedding: Float64Array }> {
  let group: Prepared[] = [];
  for (const path of paths) {
    const prepared = await prepareNetwork(pretrained, path);
    const next = { ...prepared, signature: signatureOf(prepared) };
    const numbers = group.reduce((total, { flat }) => total + flat.length, 0);
    const full = group.length >= networksTogether || numbers > numbersTogether;
    if (group.length > 0 && (full || group[0]?.signature !== next.signature)) {
      yield* embedGroup(pretrained, group, window);
      group = [];
    }
    group.push(next);
  }
  if (group.length > 0) yield* embedGroup(pretrained, group, window);
}

interface Prepared extends PreparedNetwork {
  /** By `signatureOf`. */
  signature: string;
}

/** The same for networks with the same tensors in the same order. */
export const signatureOf = ({ description }: Pick<PreparedNetwork, 'description'>) =>
  description.state.map(({ name, shape }) => `${name} ${shape}`).join('\n');

/** How many tokens are seen at once. Throws a FormatError where nothing says so. */
export function seenTokens(
  pretrained: Pick<Pretrained, 'window' | 'reference'>,
  { network: { path }, layout: { tokens } }: Pick<PreparedNetwork, 'network' | 'layout'>,
  window: number | null,
): number {
  if (window !== null) return window;
  if (pretrained.reference && tokens <= longestSequence) return tokens;
  if (pretrained.window === null) {
    throw new FormatError(
      `${path}: a network of ${tokens} tokens is seen in windows, and neither the SANE's weights nor its params.json say how long those of its pretraining were; give --window`,
    );
  }
  return pretrained.window;
}

async function* embedGroup(pretrained: Pretrained, group: readonly Prepared[], window: number | null) {
  const [first] = group as readonly [Prepared, ...Prepared[]];
  const { layout } = first;
  const { sane } = pretrained;
  const seen = seenTokens(pretrained, first, window);
  const models = group.map(({ flat }) => flat);
  let i = 0;
  for await (const embedded of embedModels(sane, layout, models, seen)) {
    const { path } = (group[i++] as Prepared).network;
    yield { path, embedding: meanEmbedding(embedded, sane.shape.latent_dim) };
  }
}
