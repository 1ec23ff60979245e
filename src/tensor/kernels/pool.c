// Max pooling and its gradient, each image a task.
#include "conv.h"

struct pool {
  const struct geometry *g;
  const float *x, *dy;
  float *y;
};

// For each pixel (row, column) under the window of position (y, x) that is not padding.
#define FOR_WINDOW(y, x)                                                                                                      \
  for (long ky = 0, row = y * g->stride_height - g->pad_top; ky < g->kernel_height; ky++, row++)          \
    for (long kx = 0, column = x * g->stride_width - g->pad_left; kx < g->kernel_width; kx++, column++)    \
      if (row >= 0 && row < g->height && column >= 0 && column < g->width)

// The vector at x, of which `part` numbers are wanted and those before `end` may be read.
INLINE vec load_before(const float *x, const float *end, long part) {
  return x + LANES <= end ? load(x) : load_part(x, part, 0);
}

static void max_pool_task(void *context, long number) {
  const struct pool *p = context;
  const struct geometry *g = p->g;
  const long c = g->channels;
  const float *image = p->x + number * image_size(g);
  const float *end = image + image_size(g);
  float *out = p->y + number * positions(g) * c;
  for (long y = 0; y < g->out_height; y++)
    for (long x = 0; x < g->out_width; x++, out += c)
      for (long i = 0; i < c; i += LANES) {
        const long part = min_long(LANES, c - i);
        vec most = splat(-__builtin_inff());
        FOR_WINDOW(y, x) most = max_vec(load_before(image + (row * g->width + column) * c + i, end, part), most);
        if (part == LANES) store(out + i, most);
        else store_part(out + i, most, part);
      }
}

// y = the maximum of each window; padding does not count.
EXPORT void max_pool(const float *x, float *y, const struct geometry *g) {
  parallel(g->batch, max_pool_task, &(struct pool){.g = g, .x = x, .y = y});
}

static void max_pool_grad_task(void *context, long number) {
  const struct pool *p = context;
  const struct geometry *g = p->g;
  const long c = g->channels;
  const float *image = p->x + number * image_size(g);
  const float *end = image + image_size(g);
  const float *dy = p->dy + number * positions(g) * c;
  float *dx = p->y + number * image_size(g);
  memset(dx, 0, (size_t)image_size(g) * sizeof(float));
  for (long y = 0; y < g->out_height; y++)
    for (long x = 0; x < g->out_width; x++, dy += c)
      for (long i = 0; i < c; i += LANES) {
        const long part = min_long(LANES, c - i);
        // Of each channel the largest number so far, and the pixel that has it; -1 before the first.
        vec most = {0};
        ivec where = (ivec){0} - 1;
        FOR_WINDOW(y, x) {
          const int32_t pixel = (int32_t)((row * g->width + column) * c);
          const vec value = load_before(image + pixel + i, end, part);
          const ivec better = (where < 0) | (value > most);
          most = choose(better, value, most);
          where = (better & pixel) | (~better & where);
        }
        for (long lane = 0; lane < part; lane++)
          if (where[lane] >= 0) dx[where[lane] + i + lane] += dy[i + lane];
      }
}

// dx: each number of dy goes to the first maximum of its window.
EXPORT void max_pool_grad(const float *dy, const float *x, float *dx, const struct geometry *g) {
  parallel(g->batch, max_pool_grad_task, &(struct pool){.g = g, .x = x, .dy = dy, .y = dx});
}
