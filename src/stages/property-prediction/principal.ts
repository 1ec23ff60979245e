/** Principal components: where models lie to one another, in the directions in which they differ most. */
import { Matrix as DenseMatrix, SVD } from 'ml-matrix';
import type { Floats } from './gram.ts';

export interface Components {
  /** The share of the variance that each component has, descending. */
  shares: number[];
  /** A row for each of the given ones: its components. The sign of a component is that which makes its largest coordinate positive. */
  points: number[][];
}

/** The first `count` components of rows, or as many as there are, by the singular values of the centred rows, float64. */
export function principalComponents(rows: readonly Floats[], count: number): Components {
  const centred = new DenseMatrix(rows.map((row) => [...row])).center('column');
  const svd = new SVD(centred, { computeRightSingularVectors: false, autoTranspose: true });
  const { diagonal: values, leftSingularVectors: left } = svd;
  const total = values.reduce((sum, value) => sum + value * value, 0);
  const used = values.slice(0, count);
  const columns = used.map((value, c) => {
    const column = left.getColumn(c).map((x) => x * value);
    const largest = column.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
    return largest < 0 ? column.map((x) => -x) : column;
  });
  return {
    shares: used.map((value) => (total > 0 ? (value * value) / total : 0)),
    points: rows.map((_, i) => columns.map((column) => column[i] as number)),
  };
}
