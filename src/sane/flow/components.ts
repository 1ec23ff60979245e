/** Principal components of networks that are far fewer than their weights, by the products of pairs of networks. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

export interface Components {
  /** Of each vector its scores [components], each component with mean 0 and variance 1 over the vectors. */
  scores: Float64Array[];
  /** The vector of some scores [components]: the opposite, exact for the vectors themselves where all components are kept. */
  vectorOf(scores: ArrayLike<number>): Float32Array;
}

/** A component with less of the largest one's variance than this is rounding of float32. */
const leastShare = 1e-12;

/**
 * The first `count` principal components of vectors of equal length, null: all there are, at most one less than the vectors. With the centred
 * vectors as rows of X = U S V', the products X X' = U S² U' give U, float64; standardised scores are sqrt(n) U. As the axes are
 * V' = S⁻¹ U' X, a vector of scores z is the mean plus X' U z / sqrt(n): a combination of the vectors, so that no axis is kept.
 */
export function componentsOf(vectors: readonly Float32Array[], count: number | null): Components {
  const n = vectors.length;
  const mean = meanOf(vectors);
  const products = Matrix.zeros(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const product = centredProduct(vectors[i] as Float32Array, vectors[j] as Float32Array, mean);
      products.set(i, j, product).set(j, i, product);
    }
  }
  // Eigenvalues ascend.
  const { realEigenvalues: values, eigenvectorMatrix: axes } = new EigenvalueDecomposition(products, {
    assumeSymmetric: true,
  });
  const least = leastShare * Math.max(...values);
  const kept = values
    .map((value, column) => ({ value, column }))
    .filter(({ value }) => value > least)
    .sort((a, b) => b.value - a.value)
    .slice(0, Math.min(count ?? n - 1, n - 1))
    .map(({ column }) => axes.getColumn(column));
  const root = Math.sqrt(n);
  return {
    scores: vectors.map((_, i) => Float64Array.from(kept, (column) => root * (column[i] as number))),
    vectorOf: (scores) => {
      const shares = vectors.map(
        (_, i) =>
          kept.reduce((sum, column, k) => sum + (column[i] as number) * (scores[k] as number), 0) / root,
      );
      // Shares sum to 0, but for rounding, as every component does over the vectors.
      return Float32Array.from(mean, (center, w) =>
        vectors.reduce(
          (sum, vector, i) => sum + (shares[i] as number) * ((vector[w] as number) - center),
          center,
        ),
      );
    },
  };
}

/** The mean of vectors of equal length, float64. */
export function meanOf(vectors: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array((vectors[0] as Float32Array).length);
  for (const vector of vectors)
    for (let w = 0; w < mean.length; w++) mean[w] = (mean[w] as number) + (vector[w] as number);
  return mean.map((sum) => sum / vectors.length);
}

function centredProduct(a: Float32Array, b: Float32Array, mean: Float64Array): number {
  let sum = 0;
  for (let w = 0; w < mean.length; w++) {
    const center = mean[w] as number;
    sum += ((a[w] as number) - center) * ((b[w] as number) - center);
  }
  return sum;
}
