/**
 * Symmetric matrices as A = Q T Q', T tridiagonal, by Householder's reflections (Golub and Van Loan, Matrix Computations, section
 * 8.3.1), float64. (A + r I) x = b is then solved for any r and b in a multiple of n^2 steps. Eigenvalues would do the same; they take
 * several times as long, and nothing here needs them.
 */

/** Shorter vectors are nothing, as their squares have no float64. They are left where rows of A depend on one another. */
const negligible = 1e-140;

/** `reduced` is A, whose lower triangle [n, n] is read and overwritten: its row k keeps the vector of reflection k. */
export class Tridiagonal {
  private readonly diagonal: Float64Array;
  /** Element k is beside the diagonal in row k. */
  private readonly beside: Float64Array;
  /** Reflection k is I - scale v v'. */
  private readonly scales: Float64Array;

  constructor(
    private readonly reduced: Float64Array,
    private readonly n: number,
  ) {
    this.diagonal = new Float64Array(n);
    this.beside = new Float64Array(n);
    this.scales = new Float64Array(n);
    // A is to be A - v w' - w v' of the reflection before.
    let v: Float64Array = new Float64Array(n);
    let w: Float64Array = new Float64Array(n);
    for (let k = n - 1; k >= 0; k--) {
      updateRow(reduced, k * n, v, w, k);
      this.diagonal[k] = reduced[k * n + k] as number;
      const x = this.vector(k);
      const length = Math.sqrt(dot(x, x));
      if (k === 0 || length < negligible) {
        // Nothing to reflect, and of what follows only the update is left to do.
        updateAndMultiply(reduced, n, k, v, w, x, new Float64Array(k));
        v = new Float64Array(k);
        w = new Float64Array(k);
        continue;
      }
      // Of length 1, so that nothing overflows.
      for (let j = 0; j < k; j++) x[j] = (x[j] as number) / length;
      const last = x[k - 1] as number;
      const sign = last > 0 ? -1 : 1;
      x[k - 1] = last - sign;
      const scale = -1 / (sign * (last - sign));
      this.beside[k] = sign * length;
      this.scales[k] = scale;
      const next = new Float64Array(k);
      updateAndMultiply(reduced, n, k, v, w, x, next);
      const half = (scale * scale * dot(next, x)) / 2;
      for (let j = 0; j < k; j++) next[j] = scale * (next[j] as number) - half * (x[j] as number);
      v = x;
      w = next;
    }
  }

  /** x of (A + r I) x = b, or undefined if that is not positive definite numerically. */
  solve(r: number, b: Float64Array): Float64Array | undefined {
    const x = b.slice();
    for (let k = this.n - 1; k > 0; k--) this.reflect(k, x);
    if (!this.solveTridiagonal(r, x)) return undefined;
    for (let k = 1; k < this.n; k++) this.reflect(k, x);
    return x;
  }

  /** The vector of reflection k, of k numbers, in its place. */
  private vector(k: number): Float64Array {
    return this.reduced.subarray(k * this.n, k * this.n + k);
  }

  private reflect(k: number, x: Float64Array): void {
    const v = this.vector(k);
    const factor = (this.scales[k] as number) * dot(v, x);
    for (let j = 0; j < k; j++) x[j] = (x[j] as number) - factor * (v[j] as number);
  }

  /** Overwrites b by x of (T + r I) x = b, with T + r I = L D L'. Returns whether all pivots are positive. */
  private solveTridiagonal(r: number, b: Float64Array): boolean {
    const { diagonal, beside, n } = this;
    const pivots = new Float64Array(n);
    for (let k = 0; k < n; k++) {
      const factor = k === 0 ? 0 : (beside[k] as number) / (pivots[k - 1] as number);
      const pivot = (diagonal[k] as number) + r - factor * (beside[k] as number);
      if (!(pivot > 0)) return false;
      pivots[k] = pivot;
      if (k > 0) b[k] = (b[k] as number) - factor * (b[k - 1] as number);
    }
    for (let k = n - 1; k >= 0; k--) {
      const after = k + 1 < n ? (beside[k + 1] as number) * (b[k + 1] as number) : 0;
      b[k] = ((b[k] as number) - after) / (pivots[k] as number);
    }
    return true;
  }
}

/** Of as many numbers as `a` has. */
function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Row k of A - v w' - w v', up to the diagonal; it starts at `row`. */
function updateRow(a: Float64Array, row: number, v: Float64Array, w: Float64Array, k: number): void {
  const [vk, wk] = [v[k] as number, w[k] as number];
  for (let j = 0; j <= k; j++)
    a[row + j] = (a[row + j] as number) - vk * (w[j] as number) - wk * (v[j] as number);
}

/**
 * The first k rows of A - v w' - w v', and y += that times x, in one pass over the lower triangle: the memory is what takes the time. Two
 * rows at once, so that vectors are read half as often.
 */
function updateAndMultiply(
  a: Float64Array,
  n: number,
  k: number,
  v: Float64Array,
  w: Float64Array,
  x: Float64Array,
  y: Float64Array,
): void {
  for (let i = k % 2; i < k; i += 2) {
    const [row0, row1] = [i * n, (i + 1) * n];
    const v0 = v[i] as number;
    const v1 = v[i + 1] as number;
    const w0 = w[i] as number;
    const w1 = w[i + 1] as number;
    const x0 = x[i] as number;
    const x1 = x[i + 1] as number;
    let [sum0, sum1] = [0, 0];
    for (let j = 0; j < i; j++) {
      const vj = v[j] as number;
      const wj = w[j] as number;
      const xj = x[j] as number;
      const u0 = (a[row0 + j] as number) - v0 * wj - w0 * vj;
      const u1 = (a[row1 + j] as number) - v1 * wj - w1 * vj;
      a[row0 + j] = u0;
      a[row1 + j] = u1;
      sum0 += u0 * xj;
      sum1 += u1 * xj;
      y[j] = (y[j] as number) + u0 * x0 + u1 * x1;
    }
    const u00 = (a[row0 + i] as number) - 2 * v0 * w0;
    const u10 = (a[row1 + i] as number) - v1 * w0 - w1 * v0;
    const u11 = (a[row1 + i + 1] as number) - 2 * v1 * w1;
    a[row0 + i] = u00;
    a[row1 + i] = u10;
    a[row1 + i + 1] = u11;
    y[i] = (y[i] as number) + sum0 + u00 * x0 + u10 * x1;
    y[i + 1] = (y[i + 1] as number) + sum1 + u10 * x0 + u11 * x1;
  }
  if (k % 2 === 1) {
    // The first row, of one number, where their count is odd.
    const first = (a[0] as number) - 2 * (v[0] as number) * (w[0] as number);
    a[0] = first;
    y[0] = (y[0] as number) + first * (x[0] as number);
  }
}
