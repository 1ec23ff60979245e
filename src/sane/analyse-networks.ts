/** Features of the layers of networks from files, one after the other. */
import type { Network } from '../zoo/formats/network.ts';
import { embedModels } from './embed.ts';
import { seenTokens } from './embed-networks.ts';
import { type LayerFeatures, layerFeatures } from './layer-features.ts';
import { describeTokens } from './network.ts';
import { type Pretrained, prepareNetwork } from './pretrained.ts';

export interface AnalysedNetwork {
  path: string;
  layers: LayerFeatures[];
}

/** `pretrained` embeds them; null leaves the features of embeddings out. Throws a FormatError. */
export async function* analyseNetworks(
  paths: readonly string[],
  {
    pretrained,
    read,
    window,
  }: { pretrained: Pretrained | null; read: Pretrained['read']; window: number | null },
): AsyncGenerator<AnalysedNetwork> {
  for (const path of paths) {
    if (pretrained) yield analyseEmbedded(pretrained, path, window);
    else {
      const network = await read(path, {});
      // Refuses what has no layers, and networks that diverged.
      describeTokens(network, false);
      yield describe(network, null);
    }
  }
}

async function analyseEmbedded(
  pretrained: Pretrained,
  path: string,
  window: number | null,
): Promise<AnalysedNetwork> {
  const prepared = await prepareNetwork(pretrained, path);
  const { network, layout, flat } = prepared;
  const { sane } = pretrained;
  const seen = seenTokens(pretrained, prepared, window);
  for await (const z of embedModels(sane, layout, [flat], seen))
    return describe(network, { layout, z, latent: sane.shape.latent_dim });
  throw new Error(`${path}: no embedding`);
}

const describe = (
  { path, shapes, weights }: Network,
  embedded: Parameters<typeof layerFeatures>[2],
): AnalysedNetwork => ({ path, layers: layerFeatures(shapes, weights, embedded) });
