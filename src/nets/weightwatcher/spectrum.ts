/** Spectra of layers: the squared singular values of a layer's weight, as WeightWatcher takes them. */
import { Matrix, SVD } from 'ml-matrix';
import { sizeOf } from '../../base/shape.ts';

/** Singular values [min(rows, columns)] of a matrix that is given row by row, in float64, in no order that matters. */
export function singularValues(values: Float32Array | Float64Array, rows: number, columns: number): number[] {
  // By rows of its own, so that no copy of the whole is made on the way.
  const matrix = new Matrix(
    Array.from({ length: rows }, (_, i) => [...values.subarray(i * columns, (i + 1) * columns)]),
  );
  return new SVD(matrix, {
    ...{ computeLeftSingularVectors: false, computeRightSingularVectors: false, autoTranspose: true },
  }).diagonal;
}

/**
 * The eigenvalues of W'W of a weight [outputs, inputs, ...kernel], ascending, float64. A convolution is one matrix [outputs, inputs] for each
 * place of its kernel, and their eigenvalues are put together; those of a two-dimensional one are halved (`conv2d_norm`). Both as
 * WeightWatcher 0.7.7 does by default.
 */
export function eigenvalues(shape: readonly number[], weight: Float32Array): Float64Array {
  const [outputs = 0, inputs = 0, ...kernel] = shape;
  const places = sizeOf(kernel);
  const scale = kernel.length === 2 ? 1 / 2 : 1;
  const all: number[] = [];
  for (let place = 0; place < places; place++) {
    const slice = Float64Array.from(
      { length: outputs * inputs },
      (_, i) => weight[i * places + place] as number,
    );
    for (const value of singularValues(slice, outputs, inputs)) all.push(scale * value * value);
  }
  return Float64Array.from(all).sort();
}
