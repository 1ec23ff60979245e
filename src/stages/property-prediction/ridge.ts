/**
 * Ridge regression in closed form, float64: b = (X'X + r I)^-1 X'y, where X has a column of ones that is penalised too, as
 * the authors' probe has it. Where features outnumber samples it is the equal dual form b = X'a, (XX' + r I) a = y. The matrix is factorised once
 * for all targets and strengths.
 */
import type { Split } from '../../zoo/members.ts';
import { addProducts, packedRows, type Rows, rowProducts } from './gram.ts';
import { Tridiagonal } from './tridiagonal.ts';

/** Predictions of a fit, for the rows of each split. */
export type Predictions = Record<Split, Float64Array>;

/**
 * Fits each target, given for the training rows, with each strength, and predicts the rows of all splits: a list for each target, in it
 * the predictions for each strength, or undefined where the system is singular in float64. Throws if there are no training rows.
 */
export function ridge(
  features: Record<Split, Rows>,
  targets: readonly Float64Array[],
  strengths: readonly number[],
): (Predictions | undefined)[][] {
  const { count, width } = features.train;
  if (count === 0) throw new Error('ridge regression needs at least one sample');
  return (width < count ? primal : dual)(features, targets, strengths);
}

/** Rows that are packed at once. */
const batch = 128;

function primal(
  features: Record<Split, Rows>,
  targets: readonly Float64Array[],
  strengths: readonly number[],
): (Predictions | undefined)[][] {
  const { train } = features;
  const width = train.width + 1;
  const products = new Float64Array(width * width);
  const sums = targets.map(() => new Float64Array(width));
  const columns = new Float64Array(packedRows(width) * batch);
  for (let start = 0; start < train.count; start += batch) {
    const depth = Math.min(batch, train.count - start);
    // Transposed: a row of `columns` is a feature, and the last one all ones.
    for (let q = 0; q < depth; q++) {
      const row = train.read(start + q);
      for (let j = 0; j < width; j++) columns[j * depth + q] = j < row.length ? (row[j] as number) : 1;
    }
    addProducts(columns, width, columns, width, depth, { out: products, start: 0, stride: width }, true);
    for (const [t, target] of targets.entries()) {
      const sum = sums[t] as Float64Array;
      for (let j = 0; j < width; j++)
        for (let q = 0; q < depth; q++)
          sum[j] = (sum[j] as number) + (columns[j * depth + q] as number) * (target[start + q] as number);
    }
  }
  const factorised = new Tridiagonal(products, width);
  const coefficients = sums.flatMap((sum) => strengths.map((r) => factorised.solve(r, sum)));
  const predicted = {
    train: predictAll(train, coefficients),
    val: predictAll(features.val, coefficients),
    test: predictAll(features.test, coefficients),
  };
  return targets.map((_, t) =>
    strengths.map((_, s) => {
      const at = t * strengths.length + s;
      const of = (split: Split) => predicted[split][at] as Float64Array;
      return coefficients[at] && { train: of('train'), val: of('val'), test: of('test') };
    }),
  );
}

/** The predictions of each linear predictor, whose last coefficient is the intercept, for all rows. */
function predictAll(rows: Rows, coefficients: readonly (Float64Array | undefined)[]): Float64Array[] {
  const width = rows.width + 1;
  const right = new Float64Array(packedRows(coefficients.length) * width);
  for (const [c, values] of coefficients.entries()) if (values) right.set(values, c * width);
  const out = new Float64Array(rows.count * coefficients.length);
  const left = new Float64Array(packedRows(batch) * width);
  for (let start = 0; start < rows.count; start += batch) {
    const some = Math.min(batch, rows.count - start);
    for (let q = 0; q < some; q++) {
      left.set(rows.read(start + q), q * width);
      left[(q + 1) * width - 1] = 1;
    }
    const products = { out, start: start * coefficients.length, stride: coefficients.length };
    addProducts(left, some, right, coefficients.length, width, products);
  }
  return coefficients.map((_, c) =>
    Float64Array.from({ length: rows.count }, (_, i) => out[i * coefficients.length + c] as number),
  );
}

function dual(
  features: Record<Split, Rows>,
  targets: readonly Float64Array[],
  strengths: readonly number[],
): (Predictions | undefined)[][] {
  const { train, val, test } = features;
  const others: Rows = {
    ...{ count: val.count + test.count, width: train.width },
    read: (i) => (i < val.count ? val.read(i) : test.read(i - val.count)),
  };
  const { own, cross } = rowProducts(train, others);
  // The column of ones adds 1 to every product.
  for (const products of [own, cross])
    for (let i = 0; i < products.length; i++) products[i] = (products[i] as number) + 1;
  const factorised = new Tridiagonal(own, train.count);
  return targets.map((target) =>
    strengths.map((r) => {
      const a = factorised.solve(r, target);
      if (!a) return undefined;
      const predicted = times(cross, a);
      return {
        // XX'a, as (XX' + r I) a is y.
        train: target.map((y, i) => y - r * (a[i] as number)),
        val: predicted.subarray(0, val.count),
        test: predicted.subarray(val.count),
      };
    }),
  );
}

/** A matrix of rows as long as `x`, times x. */
function times(matrix: Float64Array, x: Float64Array): Float64Array {
  const result = new Float64Array(matrix.length / x.length);
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    const row = i * x.length;
    for (let j = 0; j < x.length; j++) sum += (matrix[row + j] as number) * (x[j] as number);
    result[i] = sum;
  }
  return result;
}

/** Coefficient of determination, 1 - mean squared error over variance; the mean is that of these targets. */
export function r2(targets: Float64Array, predictions: Float64Array): number {
  const mean = targets.reduce((sum, t) => sum + t, 0) / targets.length;
  let errors = 0;
  let variance = 0;
  for (const [i, t] of targets.entries()) {
    errors += (t - (predictions[i] as number)) ** 2;
    variance += (t - mean) ** 2;
  }
  return 1 - errors / variance;
}
