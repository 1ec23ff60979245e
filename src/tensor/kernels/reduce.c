// Sums, maxima and softmax along an axis.
#include "vmath.h"

// Sum of one row. In parts of PART numbers by lanes; parts are added in double precision, so that long sums stay exact enough.
static float sum_row(const float *x, long count) {
  enum { PART = 4096 };
  double total = 0;
  for (long from = 0; from < count; from += PART) {
    const long to = min_long(count, from + PART);
    vec sums[2] = {0};
    long i = from;
    for (; i + 2 * LANES <= to; i += 2 * LANES) {
      sums[0] += load(x + i);
      sums[1] += load(x + i + LANES);
    }
    for (; i < to; i += LANES) sums[0] += to - i >= LANES ? load(x + i) : load_part(x + i, to - i, 0);
    total += sum_lanes(sums[0] + sums[1]);
  }
  return (float)total;
}

static float max_row(const float *x, long count) {
  vec most = splat(-__builtin_inff());
  long i = 0;
  for (; i + LANES <= count; i += LANES) most = max_vec(load(x + i), most);
  if (i < count) most = max_vec(load_part(x + i, count - i, -__builtin_inff()), most);
  return max_lanes(most);
}

// x [outer, length, inner] to y [outer, inner].
struct reduction {
  const float *x;
  float *y;
  long outer, length, inner, rows_per_task;
  float scale;
  int maximum;
};

// The outer indices [first, last) of a task.
#define ROWS_OF_TASK                              \
  const long first = task * r->rows_per_task;     \
  const long last = min_long(r->outer, first + r->rows_per_task);

static void reduce_last_axis(void *context, long task) {
  const struct reduction *r = context;
  ROWS_OF_TASK
  for (long row = first; row < last; row++) {
    const float *x = r->x + row * r->length;
    r->y[row] = r->maximum ? max_row(x, r->length) : sum_row(x, r->length) * r->scale;
  }
}

static void reduce_middle_axis(void *context, long task) {
  const struct reduction *r = context;
  ROWS_OF_TASK
  for (long row = first; row < last; row++) {
    float *y = r->y + row * r->inner;
    const float *x = r->x + row * r->length * r->inner;
    for (long j = 0; j < r->inner; j++) y[j] = r->maximum ? -__builtin_inff() : 0;
    for (long i = 0; i < r->length; i++, x += r->inner) {
      if (r->maximum)
        for (long j = 0; j < r->inner; j++) y[j] = x[j] > y[j] || x[j] != x[j] ? x[j] : y[j];
      else
        for (long j = 0; j < r->inner; j++) y[j] += x[j];
    }
    if (r->scale != 1)
      for (long j = 0; j < r->inner; j++) y[j] *= r->scale;
  }
}

// y [outer, inner] = scale times the sum of x [outer, length, inner] over its middle axis, or its maximum (scale 1).
EXPORT void reduce(const float *x, float *y, int outer, int length, int inner, float scale, int maximum) {
  struct reduction r = {x, y, outer, length, inner, 1, scale, maximum};
  const long size = (long)length * inner;
  if (inner > 1 && size >= 2 * CHUNK) {
    // In parts of a fixed length, each a row of its own, whose results are then added in order; short ones, for accuracy.
    const long part = inner < CHUNK ? min_long(256, CHUNK / inner) : 1;
    const long parts = length / part;
    for (long row = 0; row < outer && parts > 1; row++) {
      float *partial = scratch(SCRATCH_PARTS, (size_t)((parts + 1) * inner));
      struct reduction head = {x + row * size, partial, parts, part, inner, 1, 1, maximum};
      parallel(parts, reduce_middle_axis, &head);
      struct reduction tail = {x + row * size + parts * part * inner, partial + parts * inner, 1, length - parts * part,
                               inner, 1, 1, maximum};
      reduce_middle_axis(&tail, 0);
      struct reduction join = {partial, y + row * inner, 1, parts + 1, inner, 1, scale, maximum};
      reduce_middle_axis(&join, 0);
    }
    if (parts > 1) return;
  }
  if (inner == 1 && outer == 1 && length >= 2 * CHUNK) {
    const long parts = length / CHUNK;
    float *partial = scratch(SCRATCH_PARTS, (size_t)parts + 1);
    struct reduction head = {x, partial, parts, CHUNK, 1, 1, 1, maximum};
    parallel(parts, reduce_last_axis, &head);
    struct reduction tail = {x + parts * CHUNK, partial + parts, 1, length - parts * CHUNK, 1, 1, 1, maximum};
    reduce_last_axis(&tail, 0);
    struct reduction join = {partial, y, 1, parts + 1, 1, 1, scale, maximum};
    reduce_last_axis(&join, 0);
    return;
  }
  r.rows_per_task = size > 0 && size < CHUNK ? CHUNK / size : 1;
  parallel(ceil_div(outer, r.rows_per_task), inner == 1 ? reduce_last_axis : reduce_middle_axis, &r);
}

void sum_rows(const float *x, long rows, long columns, float *y) {
  reduce(x, y, 1, (int)rows, (int)columns, 1, 0);
}

// In place: x = e^(x - max) / sum of these.
static void softmax_row(float *x, long count) {
  const float most = max_row(x, count);
  vec sums = {0};
  long i = 0;
  for (; i + LANES <= count; i += LANES) {
    const vec y = exp_vec(load(x + i) - most);
    store(x + i, y);
    sums += y;
  }
  if (i < count) {
    const vec y = exp_vec(load_part(x + i, count - i, -__builtin_inff()) - most);
    store_part(x + i, y, count - i);
    sums += y;
  }
  const float factor = 1 / sum_lanes(sums);
  for (long j = 0; j < count; j++) x[j] *= factor;
}

static void softmax_task(void *context, long task) {
  const struct reduction *r = context;
  ROWS_OF_TASK
  for (long row = first; row < last; row++) {
    float *y = r->y + row * r->length;
    memcpy(y, r->x + row * r->length, (size_t)r->length * sizeof(float));
    softmax_row(y, r->length);
  }
}

// y = softmax of each row of x [rows, length].
EXPORT void softmax(const float *x, float *y, int rows, int length) {
  struct reduction r = {.x = x, .y = y, .outer = rows, .length = length};
  r.rows_per_task = length > 0 && length < CHUNK ? CHUNK / length : 1;
  parallel(ceil_div(rows, r.rows_per_task), softmax_task, &r);
}
