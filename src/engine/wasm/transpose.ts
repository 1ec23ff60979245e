/** Side of the square tiles that a transposition goes by: both sides of a tile stay in the first-level cache. */
const tile = 32;

/** Writes the transpose of the row-major matrix source[at ...] [rows, columns] to target[to ...]. */
export function transpose(
  source: Float32Array,
  at: number,
  rows: number,
  columns: number,
  target: Float32Array,
  to: number,
): void {
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(rows, top + tile);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(columns, left + tile);
      for (let j = left; j < right; j++) {
        let from = at + top * columns + j;
        let out = to + j * rows + top;
        for (let i = top; i < bottom; i++) {
          target[out++] = source[from] as number;
          from += columns;
        }
      }
    }
  }
}
