/** How well SANE reconstructs networks that it sees in windows of another length than in pretraining (the paper's figure 6). */
import { decodeModels } from '../../sane/decode.ts';
import { embedModels } from '../../sane/embed.ts';
import type { Sane } from '../../sane/model.ts';
import type { TokenLayout } from '../../sane/tokenize.ts';

const shortest = 8;
/** Attention grows with the square of the tokens. */
const longest = 1024;

/** Powers of two from 8 to the first that holds a whole network of so many tokens, and the window of pretraining; at most 1024. Ascending. */
export function defaultWindows(tokens: number, trained: number): number[] {
  const windows = new Set([Math.min(trained, tokens)]);
  for (let window = shortest; window <= longest; window *= 2) {
    windows.add(Math.min(window, tokens));
    if (window >= tokens) break;
  }
  return [...windows].sort((a, b) => a - b);
}

/**
 * Mean squared error of standardised flat vectors, over the numbers that are in tokens (equation 5), where encoder and decoder see `window`
 * tokens at once, a quarter of them on each side as halo. Mean over networks.
 */
export async function windowLoss(
  sane: Sane,
  layout: TokenLayout,
  networks: () => Iterable<Float32Array>,
  window: number,
): Promise<number> {
  const tokenized = layout.source.filter((index) => index >= 0);
  let [sum, count] = [0, 0];
  for (const flat of networks()) {
    for await (const z of embedModels(sane, layout, [flat], window)) {
      for await (const decoded of decodeModels(sane, layout, [z], { halo: true, seen: window })) {
        for (const i of tokenized) sum += ((flat[i] as number) - (decoded[i] as number)) ** 2;
        count += tokenized.length;
      }
    }
  }
  return sum / count;
}
