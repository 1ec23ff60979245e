/** The baseline S_KDE30 (Schürholt et al. 2022): samples in the embeddings of whole networks, each dimension by itself. */
import type { Outline, StateDict } from '../../nets/architecture.ts';
import { decodeSequences, embedSequences } from '../../sane/hyper-representation/embed.ts';
import { rowLayout } from '../../sane/hyper-representation/rows.ts';
import { flatten, unflatten } from '../../sane/tokenize.ts';
import { loadHyperRepresentation } from '../hyper-representation/load.ts';
import type { Sampler } from './methods.ts';

/** The same prompts by the embeddings of the autoencoder in folder `dir`. Everything else is SANE's sampler's. */
export async function baselineSampler(
  dir: string,
  architecture: Outline,
  { settings, prompts, score }: Sampler,
  finish: (models: readonly StateDict[]) => Promise<StateDict[]>,
): Promise<Sampler & { dispose(): void }> {
  const { model, scales } = await loadHyperRepresentation(dir);
  const { layout } = rowLayout(architecture);
  const flats = prompts.map(({ weights }) => flatten(architecture, weights));
  const embeddings = await embedSequences(model, layout, scales, flats);
  return {
    settings: { ...settings, bandwidth: settings.hyper_representation_bandwidth },
    unit: 1,
    latent: 1,
    prompts: prompts.map((prompt, i) => ({ ...prompt, embedding: embeddings[i] as Float32Array })),
    decode: async (drawn) => {
      const decoded = await decodeSequences(model, layout, scales, drawn);
      return finish(decoded.map((flat) => unflatten(architecture, flat)));
    },
    score,
    dispose: () => model.dispose(),
  };
}
