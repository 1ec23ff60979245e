/** What WeightWatcher says of the layers of a network (Martin, Peng, Mahoney 2021), which figures 3, 4 and 8 to 11 set beside SANE's embeddings. */
import type { StateDict } from '../architecture.ts';
import { fitPowerLaw } from './power-law.ts';
import { eigenvalues } from './spectrum.ts';

export interface SpectralFeatures {
  /** log10 of the largest eigenvalue. */
  log_spectral_norm: number;
  /** Exponent of the power law that the spectrum's tail is nearest to. */
  alpha: number;
  /** alpha times log_spectral_norm. */
  weighted_alpha: number;
  /** Sum of the eigenvalues over the largest. */
  stable_rank: number;
}

export const spectralFeatureNames = ['log_spectral_norm', 'alpha', 'weighted_alpha', 'stable_rank'] as const;

/** Layers with fewer or more eigenvalues are left out, as WeightWatcher does by default. */
const fewest = 8;
const most = 15_000;

/** Weights of layers in their order: matrices, and kernels of convolutions. */
export const spectralLayers = (shapes: ReadonlyMap<string, readonly number[]>): string[] =>
  [...shapes].flatMap(([name, shape]) => {
    const [outputs = 0, inputs = 0, ...kernel] = shape;
    const count = Math.min(outputs, inputs) * kernel.reduce((product, size) => product * size, 1);
    return name.endsWith('weight') && shape.length > 1 && count >= fewest && count <= most ? [name] : [];
  });

/** The features of a spectrum, ascending. Null where all its numbers are zero or no power law can be fitted. */
export function spectralFeatures(spectrum: Float64Array): SpectralFeatures | null {
  const largest = spectrum.at(-1) ?? 0;
  const fit = fitPowerLaw(spectrum);
  if (!(largest > 0) || fit === null) return null;
  const log = Math.log10(largest);
  return {
    log_spectral_norm: log,
    alpha: fit.alpha,
    weighted_alpha: fit.alpha * log,
    stable_rank: spectrum.reduce((sum, value) => sum + value, 0) / largest,
  };
}

/** The spectra of a network's layers, by the names of their weights. */
export function* layerSpectra(
  shapes: ReadonlyMap<string, readonly number[]>,
  weights: StateDict,
): Generator<[name: string, spectrum: Float64Array]> {
  for (const name of spectralLayers(shapes)) {
    yield [name, eigenvalues(shapes.get(name) as readonly number[], weights.get(name) as Float32Array)];
  }
}
