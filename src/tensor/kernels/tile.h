// What products are made of: panels, into which a side is packed, and tiles of the result, which are held in registers.
#pragma once

#include "native.h"

// As many numbers as the vector registers hold beside the operands: there are 32 registers with AVX-512 and on arm64, else 16.
#if VECTOR_BYTES == 64
enum { TILE_ROWS = 12, TILE_VECTORS = 2 };
#elif defined(__aarch64__)
enum { TILE_ROWS = 8, TILE_VECTORS = 3 };
#elif defined(__wasm__)
// Of 16 registers: without a fused multiplication and addition each product takes one for a moment.
enum { TILE_ROWS = 3, TILE_VECTORS = 3 };
#else
enum { TILE_ROWS = 6, TILE_VECTORS = 2 };
#endif
enum { TILE_COLUMNS = TILE_VECTORS * LANES };

// Interleaves the lower, and the upper, halves of two vectors: a0 b0 a1 b1 and so on.
#if LANES == 16
#define LOWER 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define UPPER 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif LANES == 8
#define LOWER 0, 8, 1, 9, 2, 10, 3, 11
#define UPPER 4, 12, 5, 13, 6, 14, 7, 15
#else
#define LOWER 0, 4, 1, 5
#define UPPER 2, 6, 3, 7
#endif
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (ivec){__VA_ARGS__})
#endif

// Transposes a square in place: each round of interleaving moves one bit of the row's number to the column's.
INLINE void transpose_square(vec x[LANES]) {
#pragma GCC unroll 4
  for (int round = 1; round < LANES; round *= 2) {
    vec y[LANES];
#pragma GCC unroll 16
    for (int i = 0; i < LANES / 2; i++) {
      y[2 * i] = SHUFFLE(x[i], x[i + LANES / 2], LOWER);
      y[2 * i + 1] = SHUFFLE(x[i], x[i + LANES / 2], UPPER);
    }
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) x[i] = y[i];
  }
}

// out [depth, width] = x [count, depth] transposed, zeros behind `count`; rows lie x_row and out_row apart.
INLINE void transpose(const float *x, long x_row, long count, const long width, long depth, float *out, long out_row) {
  for (long start = 0; start < depth; start += LANES) {
    const long part = min_long(LANES, depth - start);
#pragma GCC unroll 4
    for (long first = 0; first < width; first += LANES) {
      vec square[LANES];
#pragma GCC unroll 16
      for (long i = 0; i < LANES; i++) {
        const float *row = x + (first + i) * x_row + start;
        if (first + i >= width || first + i >= count) square[i] = splat(0);
        else square[i] = part == LANES ? load(row) : load_part(row, part, 0);
      }
      transpose_square(square);
      float *to = out + start * out_row + first;
      const long columns = min_long(LANES, width - first);
#pragma GCC unroll 16
      for (long i = 0; i < LANES; i++)
        if (i < part && columns == LANES) store(to + i * out_row, square[i]);
        else if (i < part) store_part(to + i * out_row, square[i], columns);
    }
  }
}

// Panel [depth, width] from rows (of which `count` exist) of x, whose element (row, p) is at row * row_step + p * step. One of
// the steps is 1.
INLINE void pack_panel(const float *x, long row_step, long step, long count, const long width, long depth, float *out) {
  if (row_step == 1) {
    if (count == width) {
      for (long p = 0; p < depth; p++) memcpy(out + p * width, x + p * step, (size_t)width * sizeof(float));
      return;
    }
    memset(out, 0, (size_t)(depth * width) * sizeof(float));
    for (long p = 0; p < depth; p++) memcpy(out + p * width, x + p * step, (size_t)count * sizeof(float));
    return;
  }
  transpose(x, row_step, count, width, depth, out, width);
}

// Where the numbers of the left side lie: of row r at depth (run, p) at from[r][run * run_step + p * step]. Where rows are said to
// lie side by side, from[0] alone is read.
struct left_side {
  const float *from[TILE_ROWS];
  long runs, length, run_step, step;
};

// A tile of `rows` by `vectors`, which are constants where it is inlined, as is `together`: whether the left side's rows lie side by side.
INLINE void tile(const int rows, const int vectors, const int together, const struct left_side *left, const float *right,
                 float *out, long out_row, const float *bias, const float *addend) {
  vec sums[TILE_ROWS][TILE_VECTORS] = {0};
#pragma GCC unroll 16
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) __builtin_prefetch(out + i * out_row + j * LANES, 1, 3);
  const long step = left->step;
  for (long run = 0; run < left->runs; run++) {
    const long first = run * left->run_step;
    const long end = first + left->length * step;
    for (long at = first; at < end; at += step) {
      vec b[TILE_VECTORS];
#pragma GCC unroll 4
      for (int j = 0; j < vectors; j++) b[j] = *(const vec *)(right + j * LANES);
#pragma GCC unroll 16
      for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) sums[i][j] += (together ? left->from[0][at + i] : left->from[i][at]) * b[j];
      right += TILE_COLUMNS;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) {
      float *y = out + i * out_row + j * LANES;
      vec sum = sums[i][j];
      if (bias) sum += load(bias + j * LANES);
      if (addend) sum += load(addend + i * out_row + j * LANES);
      store(y, sum);
    }
}

// One tile of a result at c, of which `rows` by `columns` numbers exist: the left side times a panel of the right side, plus a
// bias and an addend whose rows lie as those of c (either may be NULL).
INLINE void tile_at(const int together, const struct left_side *left, const float *right, float *c, long c_row, long rows,
                    long columns, const float *bias, const float *addend) {
  const int half = rows <= TILE_ROWS / 2;
  const int narrow = columns <= LANES;
  const int whole = rows == (half ? TILE_ROWS / 2 : TILE_ROWS) && columns == (narrow ? LANES : TILE_COLUMNS);
  vec memory[TILE_ROWS * TILE_VECTORS];
  vec bias_memory[TILE_VECTORS];
  float *out = whole ? c : (float *)memory;
  const long out_row = whole ? c_row : TILE_COLUMNS;
  if (!whole) {
    if (bias) bias = memcpy(bias_memory, bias, (size_t)columns * sizeof(float));
    if (addend) {
      for (long i = 0; i < rows; i++) memcpy(out + i * out_row, addend + i * c_row, (size_t)columns * sizeof(float));
      addend = out;
    }
  }
  if (half && narrow) tile(TILE_ROWS / 2, 1, together, left, right, out, out_row, bias, addend);
  else if (half) tile(TILE_ROWS / 2, TILE_VECTORS, together, left, right, out, out_row, bias, addend);
  else if (narrow) tile(TILE_ROWS, 1, together, left, right, out, out_row, bias, addend);
  else tile(TILE_ROWS, TILE_VECTORS, together, left, right, out, out_row, bias, addend);
  if (!whole)
    for (long i = 0; i < rows; i++) memcpy(c + i * c_row, out + i * out_row, (size_t)columns * sizeof(float));
}

// Rows of the left side of a tile: `rows` that lie `row_step` apart from `first` on, the last one again for those that lack.
INLINE struct left_side rows_from(const float *first, long row_step, long rows) {
  struct left_side side = {0};
  for (long i = 0; i < TILE_ROWS; i++) side.from[i] = first + min_long(i, rows - 1) * row_step;
  return side;
}

// As tile_at, the left side anywhere in memory.
void tile_in_place(const struct left_side *left, const float *right, float *c, long c_row, long rows, long columns,
                   const float *bias, const float *addend);
