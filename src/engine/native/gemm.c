// Matrix products by the scheme of Goto and van de Geijn (2008): both sides are first packed into panels that a small tile of
// the result, held in registers, runs along. Packing also undoes transposition, and pads with zeros.
#include "amx.h"
#include "tile.h"

enum {
  DEPTH = 512,         // of a block: a panel of the right side of this depth stays in the first-level cache
  BLOCK_PANELS = 6,    // of a task, along each side: both blocks stay in the second-level cache
  SPLIT_DEPTH = 512,   // least depth of a part where the sum over k is split among tasks
  SPLIT_TASKS = 4,     // tasks that a product should have before its sum is left whole
  IN_PLACE = 4,        // panels of the right side up to which the left one is not packed
  SMALL = 65536,       // products (m n k) below which threads are not worth their wake-up
};

void tile_in_place(const struct left_side *left, const float *right, float *c, long c_row, long rows, long columns,
                   const float *bias, int accumulate) {
  tile_at(0, left, right, c, c_row, rows, columns, bias, accumulate);
}

// Where the numbers of a panel at depths [from, from + part) are packed: slabs of DEPTH one after the other, each with all
// `panels`, so that what a block reads lies in one piece, which does not compete for places in the caches.
INLINE long packed_at(long panels, long panel, long width, long from, long part) { return (panels * from + panel * part) * width; }

// Packs the panels [first, last) of a side of `lines` rows of a, or columns of b, at depths [from, to). Element (line, depth) is
// at line * line_step + depth * step.
INLINE void pack_panels(const float *x, long line_step, long step, long lines, const long width, long first, long last,
                        long from, long to, float *out) {
  const long panels = ceil_div(lines, width);
  for (long slab = from; slab < to; slab += DEPTH) {
    const long part = min_long(DEPTH, to - slab);
    long panel = first;
    if (line_step == 1) {
      // Lines lie side by side: whole panels are filled together, so that memory is read in longer pieces.
      const long whole = min_long(last, lines / width);
      for (long p = 0; p < part; p++)
        for (panel = first; panel < whole; panel++)
          memcpy(out + packed_at(panels, panel, width, slab, part) + p * width, x + panel * width + (slab + p) * step,
                 (size_t)width * sizeof(float));
    }
    for (; panel < last; panel++)
      pack_panel(x + panel * width * line_step + slab * step, line_step, step, min_long(width, lines - panel * width), width,
                 part, out + packed_at(panels, panel, width, slab, part));
  }
}

static void pack_left(const struct product *p, float *left, long first, long last, long from, long to) {
  pack_panels(p->a, p->a_row, p->a_column, p->m, TILE_ROWS, first, last, from, to, left);
}

static void pack_right(const struct product *p, float *right, long first, long last, long from, long to) {
  pack_panels(p->b, p->b_column, p->b_row, p->n, TILE_COLUMNS, first, last, from, to, right);
}

// Panels [first, last) of both sides at depths [from, to).
struct block {
  long row_first, row_last, column_first, column_last, from, to;
};

// left: the packed panels, or NULL if the left side is read where it lies.
static void multiply_block(const struct product *p, const float *left, const float *right, struct block b) {
  const long all_rows = ceil_div(p->m, TILE_ROWS), all_columns = ceil_div(p->n, TILE_COLUMNS);
  for (long from = b.from; from < b.to || from == b.from; from += DEPTH) {
    const long part = min_long(DEPTH, b.to - from);
    for (long column = b.column_first; column < b.column_last; column++)
      for (long row = b.row_first; row < b.row_last; row++) {
        const long i = row * TILE_ROWS, rows = min_long(TILE_ROWS, p->m - i);
        const long j = column * TILE_COLUMNS, columns = min_long(TILE_COLUMNS, p->n - j);
        const float *panel = right + packed_at(all_columns, column, TILE_COLUMNS, from, part);
        float *c = p->c + i * p->c_row + j;
        const float *bias = p->bias && from == b.from ? p->bias + j : NULL;
        const int accumulate = p->accumulate || from > b.from;
        if (left) {
          const struct left_side side = {.from = {left + packed_at(all_rows, row, TILE_ROWS, from, part)}, .runs = 1, .length = part,
                                         .step = TILE_ROWS};
          tile_at(1, &side, panel, c, p->c_row, rows, columns, bias, accumulate);
        } else {
          struct left_side side = rows_from(p->a + i * p->a_row + from * p->a_column, p->a_row, rows);
          side.runs = 1;
          side.length = part;
          side.step = p->a_column;
          tile_in_place(&side, panel, c, p->c_row, rows, columns, bias, accumulate);
        }
      }
  }
}

void multiply_alone(const struct product *p) {
  const long columns = ceil_div(p->n, TILE_COLUMNS);
  float *right = scratch(SCRATCH_RIGHT, (size_t)(columns * TILE_COLUMNS * p->k) + 1);
  pack_right(p, right, 0, columns, 0, p->k);
  // Packing the left side would not pay for the few panels that it serves.
  multiply_block(p, NULL, right, (struct block){0, ceil_div(p->m, TILE_ROWS), 0, columns, 0, p->k});
}

// A product by all threads: `parts` sums over k of at most `depth` each, into results of their own if there are several.
struct job {
  const struct product *p;
  float *left, *right, *partial;
  long rows, columns;                 // panels of the right side up to which the left one is not packed
  long row_blocks, column_blocks;     // tasks along each side
  long block_rows, block_columns;     // panels of a task
  long parts, depth;
};

static void pack_task(void *context, long task) {
  const struct job *job = context;
  const struct product *p = job->p;
  const long left_blocks = job->left ? job->row_blocks : 0;
  const long per_part = left_blocks + job->column_blocks;
  const long block = task % per_part;
  const long from = task / per_part * job->depth;
  const long to = min_long(p->k, from + job->depth);
  if (block < left_blocks) {
    const long first = block * job->block_rows;
    pack_left(p, job->left, first, min_long(job->rows, first + job->block_rows), from, to);
  } else {
    const long first = (block - left_blocks) * job->block_columns;
    pack_right(p, job->right, first, min_long(job->columns, first + job->block_columns), from, to);
  }
}

static void block_task(void *context, long task) {
  const struct job *job = context;
  const long part = task / (job->row_blocks * job->column_blocks);
  const long block = task % (job->row_blocks * job->column_blocks);
  const long row = block % job->row_blocks * job->block_rows;
  const long column = block / job->row_blocks * job->block_columns;
  const long from = part * job->depth;
  struct product p = *job->p;
  if (job->parts > 1) {
    p.c = job->partial + part * p.m * p.n;
    p.c_row = p.n;
    p.accumulate = 0;
    p.bias = NULL;
  }
  multiply_block(&p, job->left, job->right,
                 (struct block){row, min_long(job->rows, row + job->block_rows), column,
                                min_long(job->columns, column + job->block_columns), from, min_long(p.k, from + job->depth)});
}

// Adds up the partial results of one row.
static void join_task(void *context, long row) {
  const struct job *job = context;
  const struct product *p = job->p;
  float *c = p->c + row * p->c_row;
  for (long j = 0; j < p->n; j++) {
    float sum = p->accumulate ? c[j] : 0;
    if (p->bias) sum += p->bias[j];
    for (long part = 0; part < job->parts; part++) sum += job->partial[(part * p->m + row) * p->n + j];
    c[j] = sum;
  }
}

static void multiply_by_vectors(const struct product *p) {
  if (p->m * p->n * p->k < SMALL) {
    multiply_alone(p);
    return;
  }
  struct job job = {.p = p, .rows = ceil_div(p->m, TILE_ROWS), .columns = ceil_div(p->n, TILE_COLUMNS)};
  // Equal blocks of at most BLOCK_PANELS.
  job.block_rows = ceil_div(job.rows, ceil_div(job.rows, BLOCK_PANELS));
  job.block_columns = ceil_div(job.columns, ceil_div(job.columns, BLOCK_PANELS));
  job.row_blocks = ceil_div(job.rows, job.block_rows);
  job.column_blocks = ceil_div(job.columns, job.block_columns);
  const long blocks = job.row_blocks * job.column_blocks;
  const long split = min_long(ceil_div(SPLIT_TASKS, blocks), p->k / SPLIT_DEPTH);
  job.depth = split > 1 ? ceil_div(ceil_div(p->k, split), DEPTH) * DEPTH : p->k;
  job.parts = ceil_div(p->k, job.depth);
  // Rows that lie in one piece are read in place by the few panels of a narrow right side.
  if (p->a_column != 1 || job.columns > IN_PLACE) job.left = scratch(SCRATCH_LEFT, (size_t)(job.rows * TILE_ROWS * p->k));
  job.right = scratch(SCRATCH_RIGHT, (size_t)(job.columns * TILE_COLUMNS * p->k));
  if (job.parts > 1) job.partial = scratch(SCRATCH_PARTS, (size_t)(job.parts * p->m * p->n));
  parallel(job.parts * ((job.left ? job.row_blocks : 0) + job.column_blocks), pack_task, &job);
  parallel(job.parts * blocks, block_task, &job);
  if (job.parts > 1) parallel(p->m, join_task, &job);
}

void multiply(const struct product *p) {
  if (p->m == 0 || p->n == 0) return;
  const long done = multiply_by_tiles(p);
  if (done > 0 && done == p->k) return;
  struct product rest = *p;
  if (done > 0) {
    rest.a += done * p->a_column;
    rest.b += done * p->b_row;
    rest.k -= done;
    rest.bias = NULL;
    rest.accumulate = 1;
  }
  multiply_by_vectors(&rest);
}

// `count` products of matrices; index [count, 2] is the number of the left and of the right matrix of each.
struct batch {
  struct product first;
  const int32_t *index;
  long a_size, b_size, c_size;
};

static struct product product_of(const struct batch *batch, long number) {
  struct product p = batch->first;
  p.a += batch->index[2 * number] * batch->a_size;
  p.b += batch->index[2 * number + 1] * batch->b_size;
  p.c += number * batch->c_size;
  return p;
}

static void batch_task(void *context, long number) {
  struct product p = product_of(context, number);
  multiply_alone(&p);
}

// out [count, m, n] = a b, each matrix stored [m, k] and [k, n], or transposed; plus bias [n] unless that is NULL.
EXPORT void batch_matmul(const float *a, const float *b, const float *bias, float *out, const int32_t *index, int count, int m,
                         int k, int n, int transpose_a, int transpose_b) {
  struct batch batch = {
      .first = {.m = m, .n = n, .k = k, .a = a, .b = b, .c = out, .c_row = n, .bias = bias,
                .a_row = transpose_a ? 1 : k, .a_column = transpose_a ? m : 1,
                .b_row = transpose_b ? 1 : n, .b_column = transpose_b ? k : 1},
      .index = index, .a_size = (long)m * k, .b_size = (long)k * n, .c_size = (long)m * n};
  if (count >= SPLIT_TASKS && (long)m * n * k < 64L * SMALL) {
    parallel(count, batch_task, &batch);
    return;
  }
  for (long number = 0; number < count; number++) {
    struct product p = product_of(&batch, number);
    multiply(&p);
  }
}

// y [rows, out] = x [rows, in] times w [out, in] transposed, plus bias [out] unless that is NULL.
EXPORT void linear(const float *x, const float *w, const float *bias, float *y, int rows, int in, int out) {
  multiply(&(struct product){.m = rows, .n = out, .k = in, .a = x, .a_row = in, .a_column = 1, .b = w, .b_row = 1,
                             .b_column = in, .c = y, .c_row = out, .bias = bias});
}

// The gradients dx, dw and db (unless NULL) of linear.
EXPORT void linear_grad(const float *dy, const float *x, const float *w, float *dx, float *dw, float *db, int rows, int in,
                        int out) {
  multiply(&(struct product){.m = rows, .n = in, .k = out, .a = dy, .a_row = out, .a_column = 1, .b = w, .b_row = in,
                             .b_column = 1, .c = dx, .c_row = in});
  multiply(&(struct product){.m = out, .n = in, .k = rows, .a = dy, .a_row = 1, .a_column = out, .b = x, .b_row = in,
                             .b_column = 1, .c = dw, .c_row = in});
  if (db) sum_rows(dy, rows, out, db);
}
