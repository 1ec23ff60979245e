/** Products of pairs of rows, float64. */

export type Floats = Float32Array | Float64Array;

/** Rows of numbers that may lie on disk. */
export interface Rows {
  readonly count: number;
  /** Numbers of each. */
  readonly width: number;
  /** Row i, which may be overwritten when the next one is read. */
  read(i: number): Floats;
}

export const rowsOf = (rows: readonly Floats[]): Rows => ({
  count: rows.length,
  width: rows[0]?.length ?? 0,
  read: (i) => rows[i] as Floats,
});

/** Rows of a tile of products; rows are packed in multiples of it. */
const tileRows = 2;
const tileColumns = 4;

/** How many rows memory is to have for so many: whatever lies in those beyond, tiles read it, too. */
export const packedRows = (count: number): number => Math.ceil(count / tileColumns) * tileColumns;

/** Where products are added: that of left row i and right row j at `start + i * stride + j`. */
export interface Products {
  out: Float64Array;
  start: number;
  stride: number;
}

/**
 * Adds the product of each of `m` left rows with each of `n` right rows to `products`. Rows have `depth` numbers, one after the other, and
 * memory for `packedRows`. Of `lower`, only what is not above the diagonal counts, and the rest is not to be read.
 */
export function addProducts(
  left: Float64Array,
  m: number,
  right: Float64Array,
  n: number,
  depth: number,
  { out, start, stride }: Products,
  lower = false,
): void {
  const sums = new Float64Array(tileRows * tileColumns);
  for (let i = 0; i < m; i += tileRows) {
    const columns = lower ? Math.min(n, i + tileRows) : n;
    for (let j = 0; j < columns; j += tileColumns) {
      tile(left, i * depth, right, j * depth, depth, sums);
      for (let a = 0; a < tileRows && i + a < m; a++) {
        const row = start + (i + a) * stride + j;
        for (let b = 0; b < tileColumns && j + b < n; b++)
          out[row + b] = (out[row + b] as number) + (sums[a * tileColumns + b] as number);
      }
    }
  }
}

/** The products of two left rows with four right ones: as many sums as fit in registers. */
function tile(
  left: Float64Array,
  i: number,
  right: Float64Array,
  j: number,
  depth: number,
  sums: Float64Array,
): void {
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
  const [i1, j1, j2, j3] = [i + depth, j + depth, j + 2 * depth, j + 3 * depth];
  for (let k = 0; k < depth; k++) {
    const a0 = left[i + k] as number;
    const a1 = left[i1 + k] as number;
    const b0 = right[j + k] as number;
    const b1 = right[j1 + k] as number;
    const b2 = right[j2 + k] as number;
    const b3 = right[j3 + k] as number;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
  }
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s02;
  sums[3] = s03;
  sums[4] = s10;
  sums[5] = s11;
  sums[6] = s12;
  sums[7] = s13;
}

/** Columns that are multiplied at once, so that a block of rows stays in the cache. */
const chunk = 128;

/** Part of the columns of rows as float64, to be multiplied. */
function pack(rows: readonly Floats[], from: number, into: Float64Array): number {
  const depth = Math.min(chunk, (rows[0]?.length ?? 0) - from);
  for (const [i, row] of rows.entries()) into.set(row.subarray(from, from + depth), i * depth);
  return depth;
}

/**
 * The products of all pairs of rows [count, count], of which the lower triangle is right, and of `others` with them [others, count]. As many rows
 * are held at once as fit in `memory` bytes; the rest is read again for each such block, so that networks of any size fit.
 */
export function rowProducts(
  rows: Rows,
  others: Rows,
  memory = 2 ** 30,
): { own: Float64Array; cross: Float64Array } {
  const { count, width } = rows;
  const own = new Float64Array(count * count);
  const cross = new Float64Array(others.count * count);
  // A quarter is for those that the held ones are multiplied with.
  const inMemory = memory / (4 * Math.max(1, width));
  const held = Math.max(1, Math.floor((inMemory * 3) / 4));
  const beside = Math.min(64, Math.max(1, Math.floor(inMemory / 4)));
  const packed = new Float64Array(packedRows(Math.min(held, count)) * chunk);
  const packedBeside = new Float64Array(packedRows(beside) * chunk);
  for (let start = 0; start < count; start += held) {
    const block = copyRows(rows, start, held);
    for (let at = 0; at < width; at += chunk) {
      const depth = pack(block, at, packed);
      const products = { out: own, start: start * count + start, stride: count };
      addProducts(packed, block.length, packed, block.length, depth, products, true);
    }
    const multiply = (source: Rows, first: number, out: Float64Array) => {
      for (let i = first; i < source.count; i += beside) {
        const some = copyRows(source, i, beside);
        const products = { out, start: i * count + start, stride: count };
        for (let at = 0; at < width; at += chunk) {
          const depth = pack(block, at, packed);
          pack(some, at, packedBeside);
          addProducts(packedBeside, some.length, packed, block.length, depth, products);
        }
      }
    };
    multiply(rows, start + block.length, own);
    multiply(others, 0, cross);
  }
  return { own, cross };
}

const copyRows = (rows: Rows, start: number, most: number): Floats[] =>
  Array.from({ length: Math.min(most, rows.count - start) }, (_, i) => rows.read(start + i).slice());
