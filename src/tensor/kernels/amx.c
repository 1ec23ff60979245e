// The unit multiplies tiles of bfloat16, of 8 significant bits, and adds in float32. A float32 is the sum of three bfloat16,
// x = x1 + x2 + x3, each the rounded rest of those before; so a b is the sum of nine products, of which a2 b3, a3 b2 and a3 b3
// are below float32's own rounding and left out. The small ones are summed first, and then a1 b1.
//
// A block of the result is 32 x 32, four tiles. Each side is packed as strips of 32 lines (rows of a, columns of b), each
// strip as steps of 32 along the sum, each step as three parts, each part as two tiles of 16 x 16 pairs of bfloat16.
#include "amx.h"

#include "tile.h"

#if defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__AVX512F__) && defined(__linux__)

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  LINES = 32,                // of a strip
  STEP = 32,                 // numbers of each line that a tile holds
  TILE_PAIRS = 256,          // pairs of bfloat16 in a tile
  STEP_PAIRS = 6 * TILE_PAIRS,
  DEPTH_STEPS = 16,          // of a block of the sum, at most, ...
  LEAST_DEPTH_STEPS = 8,     // ... and at least
  BLOCK_PAIRS = 3 << 17,     // packed, of both sides: a block stays in the second-level cache where it can
  TASK_STRIPS = 8,           // of a task, along each side
  ENOUGH_TASKS = 16,
  LEAST_SIDE = 96,           // below which packing costs more than the unit saves
  LEAST_WORK = 1 << 20,      // products (m n k) below which packing does not pay
};

typedef uint32_t pairs __attribute__((vector_size(64), may_alias));

static int allowed = 1;

// Whether the system lets this process use the unit: asked once.
static int available(void) {
  static int answer = -1;
  const int request_permission = 0x1023, tile_data = 18;
  if (answer < 0) answer = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  return answer;
}

EXPORT int use_tiles(int wanted) {
  allowed = wanted;
  return allowed && available();
}

// Rounded to bfloat16, which is the upper half of the result.
INLINE vec rounded(vec x) { return (vec)(((pairs)x + 0x8000u) & 0xffff0000u); }

// The three parts of the numbers, each in the upper halves of its lanes. `largest` keeps the largest size, as bits.
INLINE void split(vec x, pairs parts[3], pairs *largest) {
  const pairs size = (pairs)x & 0x7fffffffu;
  *largest = (pairs)_mm512_max_epu32((__m512i)*largest, (__m512i)size);
  const vec first = rounded(x), rest = x - first, second = rounded(rest);
  parts[0] = (pairs)first;
  parts[1] = (pairs)second;
  parts[2] = (pairs)(rest - second);
}

// Lines of numbers, at x + line * line_step + k * step; one of the steps is 1. Only `count` lines and `depth` numbers exist.
struct side {
  const float *x;
  long line_step, step, count, depth;
};

// The first number of pair i of a line: the order in which packing two vectors leaves them. It is the same on both sides.
INLINE long first_of_pair(long i) { return i / 4 * 4 + i % 2 * 2 + i / 2 % 2 * 16; }

// Pairs of a line: of the 32 numbers from x on, of which `left` exist.
INLINE void line_pairs(const float *x, long left, pairs out[3], pairs *largest) {
  pairs low[3], high[3];
  split(left >= 16 ? load(x) : left > 0 ? load_part(x, left, 0) : splat(0), low, largest);
  split(left >= 32 ? load(x + 16) : left > 16 ? load_part(x + 16, left - 16, 0) : splat(0), high, largest);
#pragma GCC unroll 3
  for (int part = 0; part < 3; part++)
    out[part] = (pairs)_mm512_packus_epi32((__m512i)(low[part] >> 16), (__m512i)(high[part] >> 16));
}

// Pairs of 16 lines, of which `lines` exist: of a number at x and, if `both`, the next one of each line.
INLINE void number_pairs(const float *x, long step, long lines, int both, pairs out[3], pairs *largest) {
  pairs even[3], odd[3];
  split(lines >= 16 ? load(x) : load_part(x, lines, 0), even, largest);
  split(!both ? splat(0) : lines >= 16 ? load(x + step) : load_part(x + step, lines, 0), odd, largest);
#pragma GCC unroll 3
  for (int part = 0; part < 3; part++) out[part] = odd[part] | even[part] >> 16;
}

// Packs a tile's 16 lines from number k on into the three parts at `out`, by line if `by_line`, else by pair.
static void pack_tile(const struct side *s, long line, long k, int by_line, uint32_t *out, pairs *largest_of_all) {
  pairs kept = *largest_of_all, *const largest = &kept;  // in a register
  const long lines = s->count - line, numbers = s->depth - k;
  const float *x = s->x + line * s->line_step + k * s->step;
  for (long i = 0; i < 16; i++) {
    pairs row[3] = {{0}};
    if (s->step == 1) {
      if (i < lines) line_pairs(x + i * s->line_step, numbers, row, largest);
    } else {
      const long first = first_of_pair(i);
      if (first < numbers) number_pairs(x + first * s->step, s->step, lines, first + 1 < numbers, row, largest);
    }
#pragma GCC unroll 3
    for (int part = 0; part < 3; part++) *(pairs *)(out + 2 * part * TILE_PAIRS + 16 * i) = row[part];
  }
  *largest_of_all = kept;
  if ((s->step == 1) == by_line) return;
  for (int part = 0; part < 3; part++) transpose_square((vec *)(out + 2 * part * TILE_PAIRS));
}

// A block of the sum: numbers `from` to `from` + 32 `steps`, or to the end.
struct tiled {
  const struct product *p;
  long rows, columns;  // strips of each side
  long from, steps;
  uint32_t *left, *right;
  long task_rows, task_columns;
  int large;
};

static void pack_strip(void *context, long task) {
  struct tiled *t = context;
  const struct product *p = t->p;
  const int is_left = task < t->rows;
  const long strip = is_left ? task : task - t->rows;
  const long depth = p->k - t->from;
  const struct side side = is_left ? (struct side){p->a + t->from * p->a_column, p->a_row, p->a_column, p->m, depth}
                                   : (struct side){p->b + t->from * p->b_row, p->b_column, p->b_row, p->n, depth};
  uint32_t *out = (is_left ? t->left : t->right) + strip * t->steps * STEP_PAIRS;
  pairs largest = {0};
  for (long step = 0; step < t->steps; step++, out += STEP_PAIRS)
    for (long half = 0; half < 2; half++) {
      const long line = strip * LINES + half * 16;
      if (line < side.count) pack_tile(&side, line, step * STEP, is_left, out + half * TILE_PAIRS, &largest);
      else
        for (int part = 0; part < 3; part++) memset(out + (2 * part + half) * TILE_PAIRS, 0, TILE_PAIRS * sizeof *out);
    }
  // Numbers from 2^127 on, infinite ones and those that are none, have parts that are not finite.
  if (_mm512_reduce_max_epu32((__m512i)largest) >= 0x7f000000u) __atomic_store_n(&t->large, 1, __ATOMIC_RELAXED);
}

// Statements, since the intrinsics of GCC are.
#define BOTH(first, second) do { first; second; } while (0)
#define LOAD_LEFT(part) \
  BOTH(_tile_loadd(4, a + 2 * part * TILE_PAIRS, 64), _tile_loadd(5, a + (2 * part + 1) * TILE_PAIRS, 64))
#define LOAD_RIGHT(part) \
  BOTH(_tile_loadd(6, b + 2 * part * TILE_PAIRS, 64), _tile_loadd(7, b + (2 * part + 1) * TILE_PAIRS, 64))
#define MULTIPLY()                                                   \
  BOTH(BOTH(_tile_dpbf16ps(0, 4, 6), _tile_dpbf16ps(1, 4, 7)), \
       BOTH(_tile_dpbf16ps(2, 5, 6), _tile_dpbf16ps(3, 5, 7)))

// y [32, 32] = the product of two strips over so many steps.
static void multiply_strips(const uint32_t *left, const uint32_t *right, long steps, float *y) {
  BOTH(BOTH(_tile_zero(0), _tile_zero(1)), BOTH(_tile_zero(2), _tile_zero(3)));
  const uint32_t *a = left, *b = right;
  for (long step = 0; step < steps; step++, a += STEP_PAIRS, b += STEP_PAIRS) {
    LOAD_LEFT(2);
    LOAD_RIGHT(0);
    MULTIPLY();
    LOAD_LEFT(1);
    MULTIPLY();
    LOAD_RIGHT(1);
    MULTIPLY();
    LOAD_LEFT(0);
    MULTIPLY();
    LOAD_RIGHT(2);
    MULTIPLY();
  }
  a = left, b = right;
  for (long step = 0; step < steps; step++, a += STEP_PAIRS, b += STEP_PAIRS) {
    LOAD_LEFT(0);
    LOAD_RIGHT(0);
    MULTIPLY();
  }
  const long row = LINES * sizeof(float);
  BOTH(_tile_stored(0, y, row), _tile_stored(1, y + 16, row));
  BOTH(_tile_stored(2, y + 16 * LINES, row), _tile_stored(3, y + 16 * LINES + 16, row));
}

// Puts a block of which [rows, columns] exist to c, plus a bias and an addend that lies as c (or NULL).
static void put_block(const float *y, float *c, long c_row, long rows, long columns, const float *bias, const float *addend) {
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j += 16) {
      const long count = min_long(16, columns - j);
      vec sum = load(y + i * LINES + j);
      float *to = c + i * c_row + j;
      if (count == 16) {
        if (bias) sum += load(bias + j);
        if (addend) sum += load(addend + i * c_row + j);
        store(to, sum);
      } else {
        if (bias) sum += load_part(bias + j, count, 0);
        if (addend) sum += load_part(addend + i * c_row + j, count, 0);
        store_part(to, sum, count);
      }
    }
}

// Eight tiles of 16 rows of 64 bytes.
static const struct {
  uint8_t palette, start, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} shapes = {.palette = 1, .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

static void multiply_task(void *context, long task) {
  const struct tiled *t = context;
  const struct product *p = t->p;
  const long across = ceil_div(t->rows, t->task_rows);
  const long first_row = task % across * t->task_rows, first_column = task / across * t->task_columns;
  const long last_row = min_long(t->rows, first_row + t->task_rows);
  const long last_column = min_long(t->columns, first_column + t->task_columns);
  float *y = scratch(SCRATCH_LOCAL, LINES * LINES);
  _tile_loadconfig(&shapes);
  for (long column = first_column; column < last_column; column++)
    for (long row = first_row; row < last_row; row++) {
      multiply_strips(t->left + row * t->steps * STEP_PAIRS, t->right + column * t->steps * STEP_PAIRS, t->steps, y);
      const long i = row * LINES, j = column * LINES;
      float *c = p->c + i * p->c_row + j;
      const float *addend = t->from > 0 ? c : p->addend ? p->addend + i * p->c_row + j : NULL;
      put_block(y, c, p->c_row, min_long(LINES, p->m - i), min_long(LINES, p->n - j), p->bias && t->from == 0 ? p->bias + j : NULL,
                addend);
    }
  _tile_release();
}

long multiply_by_tiles(const struct product *p) {
  const int contiguous = (p->a_row == 1 || p->a_column == 1) && (p->b_row == 1 || p->b_column == 1);
  if (p->m < LEAST_SIDE || p->n < LEAST_SIDE || p->k < LEAST_SIDE || p->m * p->n * p->k < LEAST_WORK || !contiguous) return 0;
  if (!allowed || !available()) return 0;
  struct tiled t = {.p = p, .rows = ceil_div(p->m, LINES), .columns = ceil_div(p->n, LINES), .task_rows = TASK_STRIPS,
                    .task_columns = TASK_STRIPS};
#define TASKS() (ceil_div(t.rows, t.task_rows) * ceil_div(t.columns, t.task_columns))
  while (TASKS() < ENOUGH_TASKS && t.task_rows + t.task_columns > 2) {
    if (t.task_rows >= t.task_columns) t.task_rows /= 2;
    else t.task_columns /= 2;
  }
  long steps = BLOCK_PAIRS / ((t.rows + t.columns) * STEP_PAIRS);
  steps = steps < LEAST_DEPTH_STEPS ? LEAST_DEPTH_STEPS : min_long(steps, DEPTH_STEPS);
  t.left = (uint32_t *)scratch(SCRATCH_LEFT, (size_t)(t.rows * steps * STEP_PAIRS));
  t.right = (uint32_t *)scratch(SCRATCH_RIGHT, (size_t)(t.columns * steps * STEP_PAIRS));
  for (; t.from < p->k; t.from += steps * STEP) {
    t.steps = min_long(steps, ceil_div(p->k - t.from, STEP));
    parallel(t.rows + t.columns, pack_strip, &t);
    if (t.large) return t.from;
    parallel(TASKS(), multiply_task, &t);
  }
  return p->k;
}

#else

EXPORT int use_tiles(int wanted) {
  (void)wanted;
  return 0;
}

long multiply_by_tiles(const struct product *p) {
  (void)p;
  return 0;
}

#endif
