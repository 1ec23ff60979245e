/**
 * What the three shaders of attention share: matrix products of blocks of 32 rows of one head of one sample by 64 threads, of
 * which each computes 4 x 4 numbers of a product of 32 x 32.
 *
 * Two tiles of 32 rows and 32 columns are in workgroup memory (8 KB; every GPU has 16), as vectors of four columns. Where vector k
 * of a row lies in it depends on the row, so that threads that read neighbouring rows at once read from different banks. A thread writes
 * whole vectors only: parts of one vector must not be written by several threads.
 */
import type { tf } from '../../tf.ts';
import { eachOfFour, putFour, returnFour } from './fours.ts';
import type { Program } from './program.ts';

const side = 32;
/** Chunks of 32 columns of a result that a workgroup has in registers, at most. Of wider heads, several workgroups have four each. */
const mostChunks = 4;

/** Where a head's rows are: in one part of [B, T, parts, heads, width]. */
type Place = 'queries' | 'keys' | 'values' | 'results';
/** A tensor and the place in it. */
type Rows = `${'qkv' | 'dy' | 'y'}.${Place}`;

/** How a shape is divided among workgroups. */
export interface Division {
  sizes: Record<string, number>;
  groups: number;
  /** Chunks of 32 columns that a workgroup has in registers. */
  chunks: number;
  /** Whether rows can be read as vectors of four numbers. */
  vectors: boolean;
}

/** Divides qkv [B, T, 3d] among workgroups: each has 32 rows of a head. */
export function divide(qkv: tf.TensorInfo, heads: number): Division {
  const [batch, tokens, columns] = qkv.shape as [number, number, number];
  const width = columns / 3 / heads;
  const [blocks, parts] = [Math.ceil(tokens / side), Math.ceil(width / (mostChunks * side))];
  return {
    sizes: { heads, tokens, width, blocks, parts },
    groups: batch * heads * blocks * parts,
    chunks: Math.min(mostChunks, Math.ceil(width / side)),
    vectors: width % 4 === 0,
  };
}

/** What of a program follows from the division; `tensors` are those with rows of heads. */
export function programOf(
  name: string,
  { sizes, groups, chunks, vectors }: Division,
  tensors: readonly string[],
): Pick<Program, 'name' | 'groups' | 'threads' | 'sizes' | 'numbers' | 'vectors'> {
  return {
    name: `${name} ${chunks} ${vectors ? 'vectors' : 'numbers'}`,
    ...{ groups, threads: 64, sizes, vectors: vectors ? tensors : [] },
    // Powers are of 2, which GPUs compute.
    numbers: {
      scale: 1 / Math.sqrt(sizes.width as number),
      scale2: Math.LOG2E / Math.sqrt(sizes.width as number),
    },
  };
}

/** Text for each chunk of columns: loops that are written out keep what they compute in registers. */
export const eachChunk = ({ chunks }: Division, text: (chunk: number) => string) =>
  Array.from({ length: chunks }, (_, chunk) => text(chunk)).join('\n');

/** Reads 32 rows from `row` on and 32 columns from `column` on into a tile; zeros where there are none. */
export const load = (tile: 'left' | 'right', rows: Rows, row: string, column: string) => {
  const [tensor, place] = rows.split('.');
  return `for (var i = thread; i < 256; i += threads) {
      ${tile}[tile_at(i / 8, i % 8)] = read_${tensor}(${place}, ${row} + i / 8, ${column} + i % 8 * 4);
    }`;
};

/** Declares `name`, this thread's part of the products of rows with rows: [j][i] is that of row 4 ty + j with row 4 tx + i. */
export const products = (name: string, left: Rows, leftRow: string, right: Rows, rightRow: string) => `
  var ${name} = mat4x4f();
  for (var column = 0u; column < uniforms.width; column += 32) {
    workgroupBarrier();
    ${load('left', left, leftRow, 'column')}
    ${load('right', right, rightRow, 'column')}
    workgroupBarrier();
    for (var k = 0u; k < 8; k++) { ${name} += transpose(right_at(tx, k)) * left_at(ty, k); }
  }`;

/** Puts products into the left tile, as rows of factors. No thread may still need what is in the tiles. */
export const putFactors = (name: string) =>
  eachOfFour((j) => `left[tile_at(4 * ty + ${j}, tx)] = ${name}[${j}];`);

/** Adds to a chunk of results the rows that are multiplied by the factors in the left tile. */
export const addRows = (sum: string, rows: Rows, row: string, chunk: number) => `
  ${load('right', rows, row, `first_column + ${chunk * side}`)}
  workgroupBarrier();
  for (var k = 0u; k < 8; k++) { ${sum} += right_at(k, tx) * left_at(ty, k); }
  workgroupBarrier();`;

/** Writes a chunk of results to the rows of the workgroup's block. */
export const write = (tensor: string, place: Place, value: string, chunk: number) =>
  eachOfFour(
    (j) =>
      `write_${tensor}(${place}, own + 4 * ty + ${j}, first_column + ${chunk * side} + 4 * tx, ${value}[${j}]);`,
  );

const read = (tensor: string, vectors: boolean) => `
fn read_${tensor}(place : Place, row : u32, column : u32) -> vec4f {
  if (row >= uniforms.tokens || column >= uniforms.width) { return vec4f(); }
  let at = place.start + row * place.stride + column;
  ${returnFour(tensor, vectors, 'uniforms.width')}
}`;

const writer = (tensor: string, vectors: boolean) => `
fn write_${tensor}(place : Place, row : u32, column : u32, value : vec4f) {
  if (row >= uniforms.tokens || column >= uniforms.width) { return; }
  let at = place.start + row * place.stride + column;
  ${putFour(tensor, vectors, 'uniforms.width')}
}`;

/** A shader whose `body` computes the block of rows from `own` on, and the columns from `first_column` on. */
export const shader = (
  { vectors }: Division,
  tensors: { read: readonly string[]; write: string },
  body: string,
) => `
var<workgroup> left : array<vec4f, 256>;
var<workgroup> right : array<vec4f, 256>;
var<workgroup> shares : array<vec4f, threads>;
struct Place { start : u32, stride : u32 }
${tensors.read.map((tensor) => read(tensor, vectors)).join('')}
${writer(tensors.write, vectors)}
fn tile_at(row : u32, k : u32) -> u32 { return row * 8 + (k ^ (row / 4)); }
// Of four rows, four columns: a vector is a row's.
fn left_at(rows : u32, k : u32) -> mat4x4f {
  return mat4x4f(left[tile_at(4 * rows, k)], left[tile_at(4 * rows + 1, k)], left[tile_at(4 * rows + 2, k)],
                 left[tile_at(4 * rows + 3, k)]);
}
fn right_at(rows : u32, k : u32) -> mat4x4f {
  return mat4x4f(right[tile_at(4 * rows, k)], right[tile_at(4 * rows + 1, k)], right[tile_at(4 * rows + 2, k)],
                 right[tile_at(4 * rows + 3, k)]);
}
fn run(group : u32, thread : u32) {
  let tx = thread % 8;
  let ty = thread / 8;
  let tokens = uniforms.tokens;
  let first_column = group % uniforms.parts * ${mostChunks * side};
  let own = group / uniforms.parts % uniforms.blocks * ${side};
  let task = group / uniforms.parts / uniforms.blocks;
  let head = task % uniforms.heads * uniforms.width;
  let size = uniforms.heads * uniforms.width;
  let start = task / uniforms.heads * tokens * size;
  let queries = Place(3 * start + head, 3 * size);
  let keys = Place(3 * start + size + head, 3 * size);
  let values = Place(3 * start + 2 * size + head, 3 * size);
  let results = Place(start + head, size);
  ${body}
}`;
