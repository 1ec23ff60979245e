/** Networks in files as SANE encodes and decodes them. */
import type { StateTensor } from '../zoo/formats/write-torch.ts';
import { decodeModels } from './decode.ts';
import { embedModels } from './embed.ts';
import { seenTokens } from './embed-networks.ts';
import { type Pretrained, prepareNetwork } from './pretrained.ts';
import { destandardize } from './standardize.ts';
import { unflatten, withUntokenized } from './tokenize.ts';

/** One network's reconstruction, its tensors in the file's order; what SANE does not encode is as in the file. */
export async function reconstructNetwork(
  pretrained: Pretrained,
  path: string,
  window: number | null,
): Promise<StateTensor[]> {
  const { sane, standardization } = pretrained;
  const { network, layout, raw, flat } = await prepareNetwork(pretrained, path);
  const seen = seenTokens(pretrained, layout, window);
  const [decoded] = decodeModels(sane, layout, embedModels(sane, layout, [flat], seen), { halo: true, seen });
  const values = decoded as Float32Array;
  const rescaled = standardization === null ? values : destandardize(layout, values, standardization);
  const decodedWeights = unflatten(network.description, withUntokenized(layout, rescaled, raw));
  return Array.from(network.shapes, ([name, shape]) => {
    const data = (decodedWeights.get(name) ?? network.weights.get(name)) as Float32Array;
    // Batch norm counts its batches in whole numbers.
    const isCounter = name.endsWith('num_batches_tracked');
    return { name, shape, data: isCounter ? BigInt64Array.from(data, (n) => BigInt(Math.trunc(n))) : data };
  });
}
