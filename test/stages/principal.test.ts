/** Principal components against eigenvectors of the covariance by power iteration, float64. */
import { describe, expect, test } from 'bun:test';
import { Random } from '../../src/base/random.ts';
import { principalComponents } from '../../src/stages/property-prediction/principal.ts';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * (b[i] as number), 0);

/** The eigenvector of the largest eigenvalue of a symmetric matrix, and that eigenvalue. */
function largest(matrix: number[][]): { value: number; vector: number[] } {
  let vector = matrix.map((_, i) => 1 + i / 7);
  let value = 0;
  for (let step = 0; step < 5000; step++) {
    const image = matrix.map((row) => dot(row, vector));
    value = Math.sqrt(dot(image, image));
    vector = image.map((x) => x / value);
  }
  return { value, vector };
}

describe('principal components', () => {
  const random = new Random(1, 'principal');
  // More rows than columns, fewer, and columns that hardly vary.
  test.each([
    [31, 5],
    [6, 17],
    [9, 9],
  ])('of %d rows of %d numbers are those of their covariance', (count, width) => {
    const rows = Array.from({ length: count }, () =>
      Float64Array.from({ length: width }, (_, j) => random.normal() / (1 + j) + 3),
    );
    const means = Array.from(
      { length: width },
      (_, j) => rows.reduce((sum, row) => sum + (row[j] as number), 0) / count,
    );
    const centred = rows.map((row) => Array.from(row, (x, j) => x - (means[j] as number)));
    const covariance = means.map((_, i) =>
      means.map((_, j) => centred.reduce((sum, row) => sum + (row[i] as number) * (row[j] as number), 0)),
    );
    const first = largest(covariance);
    const rest = covariance.map((row, i) =>
      row.map((x, j) => x - first.value * (first.vector[i] as number) * (first.vector[j] as number)),
    );
    const second = largest(rest);
    const trace = covariance.reduce((sum, row, i) => sum + (row[i] as number), 0);
    const { shares, points } = principalComponents(rows, 2);
    for (const [c, { value, vector }] of [first, second].entries()) {
      expect(shares[c]).toBeCloseTo(value / trace, 8);
      const expected = centred.map((row) => dot(row, vector));
      const most = expected.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
      // The largest coordinate is positive, whatever the sign of the eigenvector.
      for (const [i, x] of expected.entries()) expect(points[i]?.[c]).toBeCloseTo(Math.sign(most) * x, 6);
    }
  });

  test('of one row, or of equal ones, are at 0', () => {
    const row = Float64Array.of(1, 2, 3);
    const shown = (rows: Float64Array[]) => JSON.stringify(principalComponents(rows, 2));
    expect(shown([row])).toBe('{"shares":[0],"points":[[0]]}');
    expect(shown([row, row, row])).toBe('{"shares":[0,0],"points":[[0,0],[0,0],[0,0]]}');
  });
});
