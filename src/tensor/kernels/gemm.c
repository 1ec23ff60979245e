// Matrix products by the scheme of Goto and van de Geijn (2008): both sides are first packed into panels that a small tile of
// the result, held in registers, runs along. Packing also undoes transposition, and pads with zeros.
#include "amx.h"
#include "fused.h"
#include "tile.h"

enum {
  DEPTH = 512,         // of a block: a panel of the right side of this depth stays in the first-level cache
  BLOCK_PANELS = 6,    // of a block, along each side: both stay in the second-level cache
  GROUP_BLOCKS = 4,    // blocks of columns of a task, for which the left side is packed once
  SPLIT_DEPTH = 512,   // least depth of a part where the sum over k is split among tasks
  SPLIT_TASKS = 4,     // tasks that a product should have before its sum is left whole
  IN_PLACE = 4,        // panels of the right side up to which the left one is not packed
  SMALL = 65536,       // products (m n k) below which threads are not worth their wake-up
};

void tile_in_place(const struct left_side *left, const float *right, float *c, long c_row, long rows, long columns,
                   const float *bias, const float *addend) {
  tile_at(0, left, right, c, c_row, rows, columns, bias, addend);
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

static void pack_right(const struct product *p, float *right, long first, long last, long from, long to) {
  pack_panels(p->b, p->b_column, p->b_row, p->n, TILE_COLUMNS, first, last, from, to, right);
}

// Panels [first, last) of both sides at depths [from, to) within one slab.
struct block {
  long row_first, row_last, column_first, column_last, from, to;
};

// left: the packed panels of this block, or NULL if the left side is read where it lies. accumulate: whether this is not the
// first slab, and adds to what the others left.
static void multiply_block(const struct product *p, const float *left, const float *right, struct block b, int accumulate) {
  const long all_columns = ceil_div(p->n, TILE_COLUMNS), part = b.to - b.from;
  for (long column = b.column_first; column < b.column_last; column++)
    for (long row = b.row_first; row < b.row_last; row++) {
      const long i = row * TILE_ROWS, rows = min_long(TILE_ROWS, p->m - i);
      const long j = column * TILE_COLUMNS, columns = min_long(TILE_COLUMNS, p->n - j);
      const float *panel = right + packed_at(all_columns, column, TILE_COLUMNS, b.from, part);
      float *c = p->c + i * p->c_row + j;
      const float *bias = p->bias && !accumulate ? p->bias + j : NULL;
      const float *addend = accumulate ? c : p->addend ? p->addend + i * p->c_row + j : NULL;
      if (left) {
        const struct left_side side = {.from = {left + (row - b.row_first) * part * TILE_ROWS}, .runs = 1, .length = part,
                                       .step = TILE_ROWS};
        tile_at(1, &side, panel, c, p->c_row, rows, columns, bias, addend);
      } else if (p->a_row == 1 && rows == TILE_ROWS) {
        // The rows of a transposed side lie side by side, as in a panel.
        const struct left_side side = {.from = {p->a + i + b.from * p->a_column}, .runs = 1, .length = part, .step = p->a_column};
        tile_at(1, &side, panel, c, p->c_row, rows, columns, bias, addend);
      } else {
        struct left_side side = rows_from(p->a + i * p->a_row + b.from * p->a_column, p->a_row, rows);
        side.runs = 1;
        side.length = part;
        side.step = p->a_column;
        tile_in_place(&side, panel, c, p->c_row, rows, columns, bias, addend);
      }
    }
}

// The slabs of depths [from, to), at least one.
#define FOR_SLABS(from, to) for (long slab = from, end; end = min_long(to, slab + DEPTH), slab < (to) || slab == (from); slab += DEPTH)

void multiply_alone(const struct product *p) {
  const long columns = ceil_div(p->n, TILE_COLUMNS);
  float *right = scratch(SCRATCH_RIGHT, (size_t)(columns * TILE_COLUMNS * p->k) + 1);
  pack_right(p, right, 0, columns, 0, p->k);
  // Packing the left side would not pay for the few panels that it serves.
  FOR_SLABS(0, p->k) multiply_block(p, NULL, right, (struct block){0, ceil_div(p->m, TILE_ROWS), 0, columns, slab, end}, slab > 0);
}

// A product by all threads: `parts` sums over k of at most `depth` each, into results of their own if there are several.
struct job {
  const struct product *p;
  float *right, *partial;
  long rows, columns;              // panels of both sides
  long row_blocks, column_groups;  // tasks along each side
  long block_rows, block_columns, group_columns;  // panels
  long parts, depth;
  int in_place;  // whether the left side is read where it lies
};

static void pack_task(void *context, long task) {
  const struct job *job = context;
  const long blocks = ceil_div(job->columns, job->block_columns);
  const long from = task / blocks * job->depth;
  const long first = task % blocks * job->block_columns;
  pack_right(job->p, job->right, first, min_long(job->columns, first + job->block_columns), from,
             min_long(job->p->k, from + job->depth));
}

// The left side is packed slab by slab, just before it is needed: the block stays in the second-level cache.
static void block_task(void *context, long task) {
  const struct job *job = context;
  const long part = task / (job->row_blocks * job->column_groups);
  const long group = task % (job->row_blocks * job->column_groups);
  const long row = group % job->row_blocks * job->block_rows, row_last = min_long(job->rows, row + job->block_rows);
  const long column = group / job->row_blocks * job->group_columns;
  const long column_last = min_long(job->columns, column + job->group_columns);
  const long from = part * job->depth, to = min_long(job->p->k, from + job->depth);
  struct product p = *job->p;
  if (job->parts > 1) {
    p.c = job->partial + part * p.m * p.n;
    p.c_row = p.n;
    p.addend = NULL;
    p.bias = NULL;
  }
  const long lines = min_long(p.m, row_last * TILE_ROWS) - row * TILE_ROWS;
  float *left = job->in_place ? NULL : scratch(SCRATCH_LEFT, (size_t)((row_last - row) * TILE_ROWS * DEPTH));
  FOR_SLABS(from, to) {
    if (left)
      pack_panels(p.a + row * TILE_ROWS * p.a_row + slab * p.a_column, p.a_row, p.a_column, lines, TILE_ROWS, 0, row_last - row, 0,
                  end - slab, left);
    for (long first = column; first < column_last; first += job->block_columns)
      multiply_block(&p, left, job->right,
                     (struct block){row, row_last, first, min_long(column_last, first + job->block_columns), slab, end},
                     slab > from);
  }
}

// Adds up the partial results of one row.
static void join_task(void *context, long row) {
  const struct job *job = context;
  const struct product *p = job->p;
  float *c = p->c + row * p->c_row;
  const float *addend = p->addend ? p->addend + row * p->c_row : NULL;
  for (long j = 0; j < p->n; j++) {
    float sum = addend ? addend[j] : 0;
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
  job.group_columns = job.block_columns * GROUP_BLOCKS;
  job.row_blocks = ceil_div(job.rows, job.block_rows);
  job.column_groups = ceil_div(job.columns, job.group_columns);
  const long tasks = job.row_blocks * job.column_groups;
  const long split = min_long(ceil_div(SPLIT_TASKS, tasks), p->k / SPLIT_DEPTH);
  job.depth = split > 1 ? ceil_div(ceil_div(p->k, split), DEPTH) * DEPTH : p->k;
  job.parts = ceil_div(p->k, job.depth);
  // Rows that lie in one piece are read in place by the few panels of a narrow right side.
  job.in_place = p->a_column == 1 && job.columns <= IN_PLACE;
  job.right = scratch(SCRATCH_RIGHT, (size_t)(job.columns * TILE_COLUMNS * p->k));
  if (job.parts > 1) job.partial = scratch(SCRATCH_PARTS, (size_t)(job.parts * p->m * p->n));
  parallel(job.parts * ceil_div(job.columns, job.block_columns), pack_task, &job);
  parallel(job.parts * tasks, block_task, &job);
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
    rest.addend = rest.c;
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
