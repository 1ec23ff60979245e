import { loadAutoencoder } from '../../sane/checkpoint.ts';
import { HyperRepresentation, type HyperRepresentationShape } from '../../sane/hyper-representation/model.ts';
import type { Standardization } from '../../sane/standardize.ts';

/** Loads what the stage wrote: the model, which is the caller's to dispose, and the scales of the layers. */
export async function loadHyperRepresentation(
  dir: string,
): Promise<{ model: HyperRepresentation; scales: Standardization }> {
  const { weights, description, standardization } = await loadAutoencoder<{
    shape: HyperRepresentationShape;
  }>(dir, 'hyper_representation');
  return {
    model: new HyperRepresentation(description.shape, weights),
    scales: standardization as Standardization,
  };
}
