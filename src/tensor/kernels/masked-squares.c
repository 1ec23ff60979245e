// The sum of the squares of mask x - target, and its gradient.
#include "native.h"

struct masked {
  const float *x, *target, *mask, *dy;
  float *out;  // of the sum: one of each task
  long count;
};

#define BOUNDS                                             \
  const struct masked *m = context;                        \
  const long from = task * CHUNK;                          \
  const long to = min_long(m->count, from + CHUNK);

static void squares_task(void *context, long task) {
  BOUNDS
  const long whole = from + (to - from) / LANES * LANES;
  // Two sums, so that additions need not wait for one another.
  vec sums[2] = {0};
  for (long i = from; i < whole; i += LANES) {
    const vec error = load(m->mask + i) * load(m->x + i) - load(m->target + i);
    sums[i / LANES % 2] += error * error;
  }
  float sum = sum_lanes(sums[0] + sums[1]);
  for (long i = whole; i < to; i++) {
    const float error = m->mask[i] * m->x[i] - m->target[i];
    sum += error * error;
  }
  m->out[task] = sum;
}

EXPORT void masked_squares(const float *x, const float *target, const float *mask, float *out, int count) {
  const long tasks = ceil_div(count, CHUNK);
  float *sums = scratch(SCRATCH_PARTS, (size_t)tasks + 1);
  parallel(tasks, squares_task, &(struct masked){.x = x, .target = target, .mask = mask, .out = sums, .count = count});
  double sum = 0;
  for (long task = 0; task < tasks; task++) sum += sums[task];
  *out = (float)sum;
}

static void squares_grad_task(void *context, long task) {
  BOUNDS
  const float factor = 2 * *m->dy;
  for (long i = from; i < to; i++) m->out[i] = factor * m->mask[i] * (m->mask[i] * m->x[i] - m->target[i]);
}

// dx for dy, a scalar.
EXPORT void masked_squares_grad(const float *dy, const float *x, const float *target, const float *mask, float *dx, int count) {
  parallel(ceil_div(count, CHUNK), squares_grad_task,
           &(struct masked){.x = x, .target = target, .mask = mask, .dy = dy, .out = dx, .count = count});
}
