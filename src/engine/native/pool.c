// Max pooling and its gradient, each image a task.
#include "conv.h"

struct pool {
  const struct geometry *g;
  const float *x, *dy;
  float *y;
};

// For each pixel (row, column) under the window of position (y, x) that is not padding.
#define FOR_WINDOW(y, x)                                                                                                      \
  for (long ky = 0, row = y * g->stride_height - g->pad_top; ky < g->kernel_height; ky++, row += g->dilation_height)          \
    for (long kx = 0, column = x * g->stride_width - g->pad_left; kx < g->kernel_width; kx++, column += g->dilation_width)    \
      if (row >= 0 && row < g->height && column >= 0 && column < g->width)

static void max_pool_task(void *context, long number) {
  const struct pool *p = context;
  const struct geometry *g = p->g;
  const long c = g->channels;
  const float *image = p->x + number * image_size(g);
  float *out = p->y + number * positions(g) * c;
  for (long y = 0; y < g->out_height; y++)
    for (long x = 0; x < g->out_width; x++, out += c) {
      for (long i = 0; i < c; i++) out[i] = -__builtin_inff();
      FOR_WINDOW(y, x) {
        const float *pixel = image + (row * g->width + column) * c;
        for (long i = 0; i < c; i++) out[i] = pixel[i] > out[i] || pixel[i] != pixel[i] ? pixel[i] : out[i];
      }
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
  const float *dy = p->dy + number * positions(g) * c;
  float *dx = p->y + number * image_size(g);
  // Of each channel the largest number so far, and where it lies.
  float *most = scratch(SCRATCH_LOCAL, (size_t)(2 * c) + 1);
  int32_t *where = (int32_t *)(most + c);
  memset(dx, 0, (size_t)image_size(g) * sizeof(float));
  for (long y = 0; y < g->out_height; y++)
    for (long x = 0; x < g->out_width; x++, dy += c) {
      int seen = 0;
      FOR_WINDOW(y, x) {
        const int32_t at = (int32_t)((row * g->width + column) * c);
        for (int32_t i = 0; i < c; i++) {
          const int better = !seen || image[at + i] > most[i];
          most[i] = better ? image[at + i] : most[i];
          where[i] = better ? at + i : where[i];
        }
        seen = 1;
      }
      for (long i = 0; seen && i < c; i++) dx[where[i]] += dy[i];
    }
}

// dx: each number of dy goes to the first maximum of its window.
EXPORT void max_pool_grad(const float *dy, const float *x, float *dx, const struct geometry *g) {
  parallel(g->batch, max_pool_grad_task, &(struct pool){.g = g, .x = x, .dy = dy, .y = dx});
}
