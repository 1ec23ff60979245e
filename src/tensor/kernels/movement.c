// Kernels that only move numbers: copies between layouts, and rows by index.
#include "native.h"

enum { MAX_RANK = 8, SQUARE = 32 };

struct copy {
  const char *x;
  char *y;
  const int32_t *shape, *x_strides, *y_strides;
  int rank;
  int size;             // bytes of a number
  long rows_per_task;   // of the second last axis
  long row_tasks;
};

#define COPY_SQUARES(type)                                                                        \
  for (long column = 0; column < columns; column += SQUARE) {                                     \
    const long end = min_long(columns, column + SQUARE);                                          \
    for (long row = first; row < last; row++)                                                     \
      for (long j = column; j < end; j++)                                                         \
        ((type *)y)[row * y_row + j * y_column] = ((const type *)x)[row * x_row + j * x_column];  \
  }

// Rows of the last two axes at one position of the others, in squares so that both sides stay in the cache.
static void copy_task(void *context, long task) {
  const struct copy *c = context;
  const int last_axis = c->rank - 1, row_axis = c->rank - 2;
  const char *x = c->x;
  char *y = c->y;
  long rest = task / c->row_tasks;
  for (int axis = row_axis - 1; axis >= 0; axis--) {
    const long position = rest % c->shape[axis];
    rest /= c->shape[axis];
    x += position * c->x_strides[axis] * c->size;
    y += position * c->y_strides[axis] * c->size;
  }
  const long first = task % c->row_tasks * c->rows_per_task;
  const long last = min_long(c->shape[row_axis], first + c->rows_per_task);
  const long columns = c->shape[last_axis];
  const long x_row = c->x_strides[row_axis], x_column = c->x_strides[last_axis];
  const long y_row = c->y_strides[row_axis], y_column = c->y_strides[last_axis];
  if (x_column == 1 && y_column == 1)
    for (long row = first; row < last; row++)
      memcpy(y + row * y_row * c->size, x + row * x_row * c->size, (size_t)(columns * c->size));
  else if (c->size == 4) { COPY_SQUARES(uint32_t) }
  else { COPY_SQUARES(uint8_t) }
}

// Copies numbers of `size` 1 or 4 bytes. layout [3, rank] is the shape (rank >= 2, no axis empty) and the strides of x and y
// along it, of any sign or 0: this transposes, slices, reverses, pads, concatenates and repeats.
EXPORT void copy_strided(const void *x, void *y, const int32_t *layout, int rank, int size) {
  struct copy c = {x, y, layout, layout + rank, layout + 2 * rank, rank, size, 0, 0};
  const long rows = c.shape[rank - 2], columns = c.shape[rank - 1];
  c.rows_per_task = min_long(rows, ceil_div(CHUNK / columns + 1, SQUARE) * SQUARE);
  c.row_tasks = ceil_div(rows, c.rows_per_task);
  long outer = 1;
  for (int axis = 0; axis < rank - 2; axis++) outer *= c.shape[axis];
  parallel(outer * c.row_tasks, copy_task, &c);
}

struct rows {
  const float *x;
  const int32_t *ids;
  float *y;
  long count, width, table, per_task;
};

static void gather_task(void *context, long task) {
  const struct rows *r = context;
  const long last = min_long(r->count, (task + 1) * r->per_task);
  for (long i = task * r->per_task; i < last; i++)
    memcpy(r->y + i * r->width, r->x + r->ids[i] * r->width, (size_t)r->width * sizeof(float));
}

// y [count, width] = the rows `ids` of x [table, width]. Returns the first index of an id out of range, or -1.
EXPORT int gather_rows(const float *x, const int32_t *ids, float *y, int count, int width, int table) {
  for (int i = 0; i < count; i++)
    if (ids[i] < 0 || ids[i] >= table) return i;
  struct rows r = {x, ids, y, count, width, table, CHUNK / (width + 1) + 1};
  parallel(ceil_div(count, r.per_task), gather_task, &r);
  return -1;
}

// Columns of the table, so that no two tasks write to one number and each sum is in the order of the rows.
static void scatter_task(void *context, long task) {
  const struct rows *r = context;
  const long first = task * r->per_task;
  const long last = min_long(r->width, first + r->per_task);
  for (long row = 0; row < r->table; row++)
    memset(r->y + row * r->width + first, 0, (size_t)(last - first) * sizeof(float));
  for (long i = 0; i < r->count; i++) {
    if (r->ids[i] < 0 || r->ids[i] >= r->table) continue;
    const float *x = r->x + i * r->width;
    float *y = r->y + r->ids[i] * r->width;
    for (long j = first; j < last; j++) y[j] += x[j];
  }
}

// y [table, width] = for each id the sum of the rows of x [count, width] that have it; ids out of range are left out.
EXPORT void scatter_add_rows(const float *x, const int32_t *ids, float *y, int count, int width, int table) {
  const int small = (long)count * width < 2 * CHUNK;
  struct rows r = {x, ids, y, count, width, table, small ? width : 4 * LANES};
  if (width > 0) parallel(ceil_div(width, r.per_task), scatter_task, &r);
}
