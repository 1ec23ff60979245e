/**
 * Weight statistics s(W), the baseline of Unterthiner et al. (2020) as the paper uses it: for each layer the mean, the
 * variance and the percentiles 1, 25, 50, 75 and 99 of its weights and biases together.
 */
import type { TokenLayout } from '../../sane/tokenize.ts';

const percentiles = [1, 25, 50, 75, 99];

/** Percentile of ascending numbers by linear interpolation between the two nearest (numpy's default). */
export function percentile(sorted: Float64Array, percent: number): number {
  const at = ((sorted.length - 1) * percent) / 100;
  const below = Math.floor(at);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (at - below);
}

/**
 * Seven numbers per layer of a model's flat vector, layers in order. `withPadding` counts the zeros that fill the
 * layer's tokens too, as the authors' released code does.
 */
export function weightStatistics(
  layout: TokenLayout,
  flat: Float32Array,
  withPadding: boolean,
): Float64Array {
  const result: number[] = [];
  for (const { firstToken, tokens } of layout.layers) {
    const source = layout.source.subarray(
      firstToken * layout.tokenSize,
      (firstToken + tokens) * layout.tokenSize,
    );
    const used = withPadding ? source : source.filter((index) => index >= 0);
    const values = Float64Array.from(used, (index) => (index < 0 ? 0 : (flat[index] as number))).sort();
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    result.push(mean, variance, ...percentiles.map((percent) => percentile(values, percent)));
  }
  return Float64Array.from(result);
}
