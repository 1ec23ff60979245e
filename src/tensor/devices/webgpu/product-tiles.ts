/**
 * WGSL of a product of matrices: a workgroup has a square tile of the result, of which each thread computes a block of 4 columns and 4
 * or 8 rows in its registers. Workgroup memory (8 KB; every GPU has 16) holds `depth` terms of both factors for that tile, 1024 numbers of
 * each; the next terms are read from the factors while these are multiplied.
 *
 * In a tile a vector is four neighbours across the sums, whichever way the factor lies in memory: 64 threads read a square of 4 x 4 each,
 * and transpose it if vectors in memory are along the sums. Where vector v of a term lies depends on the term, so that threads that write
 * neighbouring terms at once write to different banks; threads that read neighbouring vectors of one term read from different banks anyway.
 */
import { eachOfFour, returnFour } from './fours.ts';
import type { Factors } from './product.ts';

/** What the code depends on of the factors. */
export interface Layout {
  name: string;
  /** Those that are read as vectors. */
  vectors: readonly string[];
  /** Whether neighbours in memory are terms of one sum. */
  alongSums: Record<'a' | 'b', boolean>;
}

export function layoutOf([a, b]: Factors): Layout {
  const alongSums = { a: !a.transposed, b: b.transposed === true };
  const vectors = Object.entries({ a, b })
    .filter(([, { matrix }]) => (matrix.shape[1] as number) % 4 === 0)
    .map(([name]) => name);
  return { name: `${alongSums.a} ${alongSums.b} vectors ${vectors.join('')}`, vectors, alongSums };
}

/** A square of a factor: [i] has, of term 4 q + i of those from `first` on, vector v of those across from `across` on. */
const reader = (factor: 'a' | 'b', { alongSums, vectors }: Layout, across: string) => {
  const [rows, width] = alongSums[factor] ? [across, 'uniforms.k'] : ['uniforms.k', across];
  // Neighbouring threads read neighbouring vectors.
  const place = alongSums[factor]
    ? 'vec2u(i % (depth / 4), i / (depth / 4))'
    : 'vec2u(i / (side / 4), i % (side / 4))';
  const vector = (i: number) =>
    alongSums[factor]
      ? `read_${factor}(across + 4 * at.y + ${i}, first + 4 * at.x)`
      : `read_${factor}(first + 4 * at.x + ${i}, across + 4 * at.y)`;
  const square = `mat4x4f(${[0, 1, 2, 3].map(vector).join(', ')})`;
  return `
fn read_${factor}(row : u32, column : u32) -> vec4f {
  if (row >= ${rows} || column >= ${width}) { return vec4f(); }
  let at = row * ${width} + column;
  ${returnFour(factor, vectors.includes(factor), width)}
}
fn place_${factor}(i : u32) -> vec2u { return ${place}; }
fn square_${factor}(first : u32, across : u32, i : u32) -> mat4x4f {
  let at = place_${factor}(i);
  return ${alongSums[factor] ? `transpose(${square})` : square};
}
fn put_${factor}(square : mat4x4f, i : u32) {
  let at = place_${factor}(i);
  ${eachOfFour((i) => `tile_${factor}[tile_at(4 * at.x + ${i}, at.y)] = square[${i}];`)}
}`;
};

/** WGSL of `run`, which calls `finish(row, column, four numbers)` for all of the result; the rows of each part come after those of the one before. */
export const productOf = (side: number, layout: Layout) => {
  // Vectors of rows of a thread.
  const blocks = Array.from({ length: side / 32 }, (_, block) => block);
  const depth = 1024 / side;
  const each = (text: (sum: string, block: number, i: number) => string) =>
    blocks.map((block) => eachOfFour((i) => text(`sum${4 * block + i}`, block, i))).join('\n');
  return `
const side = ${side}u;
const depth = ${depth}u;
var<workgroup> tile_a : array<vec4f, 256>;
var<workgroup> tile_b : array<vec4f, 256>;
fn tile_at(term : u32, v : u32) -> u32 { return term * (side / 4) + (v ^ (term / 4 * (side / 32))); }
${reader('a', layout, 'uniforms.m')}
${reader('b', layout, 'uniforms.n')}
fn run(group : u32, thread : u32) {
  let tile = group % uniforms.tiles;
  let part = group / uniforms.tiles;
  let first_row = tile / uniforms.columns * side;
  let first_column = tile % uniforms.columns * side;
  let tx = thread % (side / 4);
  let ty = thread / (side / 4) * ${blocks.length};
  // The first 64 threads read of a, the last 64 of b.
  let reads_a = thread < 64;
  let reads_b = thread >= threads - 64;
  let i = thread % 64;
  let start = part * uniforms.terms;
  let end = min(uniforms.k, start + uniforms.terms);
  ${each((sum) => `var ${sum} = vec4f();`)}
  // One turn more than there are slices: a slice is read in the turn before the one that computes with it.
  for (var first = start; ; first += depth) {
    var next_a = mat4x4f();
    var next_b = mat4x4f();
    if (first < end) {
      if (reads_a) { next_a = square_a(first, first_row, i); }
      if (reads_b) { next_b = square_b(first, first_column, i); }
    }
    if (first > start) {
      for (var term = 0u; term < depth; term += 4) {
        let right_at = tile_at(term, tx);
        ${blocks.map((block) => `let left${block}_at = tile_at(term, ty + ${block});`).join('\n')}
        for (var at = 0u; at < side; at += side / 4) {
          let right = tile_b[right_at + at];
          ${blocks.map((block) => `let left${block} = tile_a[left${block}_at + at];`).join('\n')}
          ${each((sum, block, j) => `${sum} += left${block}[${j}] * right;`)}
        }
      }
    }
    if (first >= end) { break; }
    workgroupBarrier();
    if (reads_a) { put_a(next_a, i); }
    if (reads_b) { put_b(next_b, i); }
    workgroupBarrier();
  }
  let column = first_column + 4 * tx;
  ${each(
    (sum, block, j) => `{
    let row = first_row + 4 * (ty + ${block}) + ${j};
    if (row < uniforms.m && column < uniforms.n) { finish(part * uniforms.m + row, column, ${sum}); }
  }`,
  )}
}`;
};
