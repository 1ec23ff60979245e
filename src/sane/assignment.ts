/**
 * The linear assignment problem, by shortest augmenting paths (Jonker and Volgenant 1987; Crouse 2016): O(n^3), in float64,
 * the same answer every time.
 */

/** Which column each row gets, and the dual variables that prove it: u[i] + v[j] <= cost[i][j], equal where i gets j. */
export interface Assignment {
  columns: Int32Array;
  u: Float64Array;
  v: Float64Array;
}

/**
 * Gives every row a column of its own so that the sum of their costs is smallest. `costs` is [n, n], row by row.
 * Throws if it has another length or holds a number that is not finite.
 */
export function assign(costs: Float64Array, n: number): Assignment {
  if (costs.length !== n * n)
    throw new RangeError(`costs of ${n} rows and columns are ${costs.length} numbers`);
  if (!costs.every(Number.isFinite)) throw new RangeError('a cost is not a finite number');
  const columns = new Int32Array(n).fill(-1);
  const rows = new Int32Array(n).fill(-1);
  const { u, v } = reduce(costs, n, columns, rows);

  // Shortest reduced cost of a path to each column, and the row before it on that path.
  const distance = new Float64Array(n);
  const from = new Int32Array(n);
  // Columns that no path was fixed for yet come first, as many as `open`.
  const order = new Int32Array(n);
  const fixed = new Int32Array(n);
  for (let start = 0; start < n; start++) {
    if (columns[start] !== -1) continue;
    distance.fill(Number.POSITIVE_INFINITY);
    for (let j = 0; j < n; j++) order[j] = j;
    let open = n;
    let fixedCount = 0;
    let row = start;
    let length = 0;
    let sink = -1;
    for (;;) {
      const base = length - (u[row] as number);
      let best = -1;
      let shortest = Number.POSITIVE_INFINITY;
      for (let k = 0; k < open; k++) {
        const j = order[k] as number;
        const candidate = base + (costs[row * n + j] as number) - (v[j] as number);
        let known = distance[j] as number;
        if (candidate < known) {
          known = distance[j] = candidate;
          from[j] = row;
        }
        // Of equally near columns one without a row ends the search.
        if (known < shortest || (known === shortest && rows[j] === -1)) {
          shortest = known;
          best = k;
        }
      }
      length = shortest;
      const column = order[best] as number;
      if (rows[column] === -1) {
        sink = column;
        break;
      }
      fixed[fixedCount++] = column;
      order[best] = order[--open] as number;
      row = rows[column] as number;
    }
    // The dual variables follow the lengths, so that reduced costs stay 0 or more, and 0 along the path.
    u[start] = (u[start] as number) + length;
    for (let k = 0; k < fixedCount; k++) {
      const j = fixed[k] as number;
      const slack = length - (distance[j] as number);
      v[j] = (v[j] as number) - slack;
      u[rows[j] as number] = (u[rows[j] as number] as number) + slack;
    }
    for (let column = sink; ; ) {
      const i = from[column] as number;
      const next = columns[i] as number;
      rows[column] = i;
      columns[i] = column;
      if (i === start) break;
      column = next;
    }
  }
  return { columns, u, v };
}

/** Dual variables to begin with, and the rows whose cheapest column by them is still free. */
function reduce(costs: Float64Array, n: number, columns: Int32Array, rows: Int32Array) {
  const u = new Float64Array(n);
  const v = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++)
      if ((costs[i * n + j] as number) < (v[j] as number)) v[j] = costs[i * n + j] as number;
  }
  for (let i = 0; i < n; i++) {
    let best = 0;
    for (let j = 0; j < n; j++) {
      if (
        (costs[i * n + j] as number) - (v[j] as number) <
        (costs[i * n + best] as number) - (v[best] as number)
      )
        best = j;
    }
    u[i] = (costs[i * n + best] as number) - (v[best] as number);
    if (rows[best] === -1) {
      rows[best] = i;
      columns[i] = best;
    }
  }
  return { u, v };
}
