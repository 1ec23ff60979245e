/**
 * Ridge regression in closed form, float64: b = (X'X + r I)^-1 X'y, where X has a column of ones that is penalised too, as
 * the authors' probe has it. Where features outnumber samples the equal dual form X'(XX' + r I)^-1 y is solved.
 */

/** Rows of features; all of one length. */
export type Matrix = readonly Float64Array[];

/** Linear predictor: one coefficient per feature, then the intercept. */
export type Coefficients = Float64Array;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

const withOnes = (rows: Matrix): Float64Array[] =>
  rows.map((row) => {
    const extended = new Float64Array(row.length + 1);
    extended.set(row);
    extended[row.length] = 1;
    return extended;
  });

function transposed(rows: Matrix): Float64Array[] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, j) => Float64Array.from(rows, (row) => row[j] as number));
}

/** Products of all pairs of rows. */
function gram(rows: Matrix): Float64Array[] {
  const result = rows.map(() => new Float64Array(rows.length));
  for (const [i, row] of rows.entries()) {
    for (let j = 0; j <= i; j++) {
      const value = dot(row, rows[j] as Float64Array);
      (result[i] as Float64Array)[j] = value;
      (result[j] as Float64Array)[i] = value;
    }
  }
  return result;
}

/** Solves (A + r I) x = y for a symmetric positive semi-definite A by Cholesky. Undefined if that is not positive numerically. */
function solve(a: Matrix, r: number, y: Float64Array): Float64Array | undefined {
  const n = a.length;
  const lower = a.map((row) => row.slice());
  for (let j = 0; j < n; j++) {
    const rowJ = lower[j] as Float64Array;
    let pivot = (rowJ[j] as number) + r;
    for (let k = 0; k < j; k++) pivot -= (rowJ[k] as number) ** 2;
    if (!(pivot > 0)) return undefined;
    const root = Math.sqrt(pivot);
    rowJ[j] = root;
    for (let i = j + 1; i < n; i++) {
      const rowI = lower[i] as Float64Array;
      let value = rowI[j] as number;
      for (let k = 0; k < j; k++) value -= (rowI[k] as number) * (rowJ[k] as number);
      rowI[j] = value / root;
    }
  }
  const x = y.slice();
  for (let i = 0; i < n; i++) {
    let value = x[i] as number;
    for (let k = 0; k < i; k++) value -= ((lower[i] as Float64Array)[k] as number) * (x[k] as number);
    x[i] = value / ((lower[i] as Float64Array)[i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    let value = x[i] as number;
    for (let k = i + 1; k < n; k++) value -= ((lower[k] as Float64Array)[i] as number) * (x[k] as number);
    x[i] = value / ((lower[i] as Float64Array)[i] as number);
  }
  return x;
}

/**
 * A fit of features [n rows] for any number of targets and strengths: the products are formed once. The function returned
 * gives the coefficients, or undefined where the system is singular in float64.
 */
export function ridge(features: Matrix): (y: Float64Array, strength: number) => Coefficients | undefined {
  if (features.length === 0) throw new Error('ridge regression needs at least one sample');
  const x = withOnes(features);
  const columns = transposed(x);
  if (columns.length <= x.length) {
    const products = gram(columns);
    return (y, strength) =>
      solve(
        products,
        strength,
        Float64Array.from(columns, (column) => dot(column, y)),
      );
  }
  const products = gram(x);
  return (y, strength) => {
    const dual = solve(products, strength, y);
    return dual && Float64Array.from(columns, (column) => dot(column, dual));
  };
}

/** Predictions of the coefficients on rows of features. */
export function predict(coefficients: Coefficients, features: Matrix): Float64Array {
  return Float64Array.from(withOnes(features), (row) => dot(row, coefficients));
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
