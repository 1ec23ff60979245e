// The geometry of convolution and pooling, as TypeScript gives it, and what the kinds of convolution share. Images are
// [batch, height, width, channels], filters [filters, channels, kernel_height, kernel_width].
#pragma once

#include "tile.h"

struct geometry {
  int32_t batch, height, width, channels;
  int32_t out_height, out_width, filters;
  int32_t kernel_height, kernel_width;
  int32_t stride_height, stride_width;
  int32_t pad_top, pad_left;
};

INLINE long image_size(const struct geometry *g) { return (long)g->height * g->width * g->channels; }
INLINE long positions(const struct geometry *g) { return (long)g->out_height * g->out_width; }
INLINE long kernel_size(const struct geometry *g) { return (long)g->kernel_height * g->kernel_width; }
INLINE long patch_size(const struct geometry *g) { return kernel_size(g) * g->channels; }

// Filters as the right side of a product: its depth is the channels that are read, its columns those that are written.
struct filter {
  const float *w, *end;
  long kernel, depth, columns;
  long depth_step, column_step;  // in numbers of w
};

INLINE struct filter filter_of(const float *w, const struct geometry *g) {
  return (struct filter){.w = w, .end = w + patch_size(g) * g->filters, .kernel = kernel_size(g), .depth = g->channels,
                         .columns = g->filters, .depth_step = kernel_size(g), .column_step = patch_size(g)};
}

// The same for the way back, from filters to channels.
INLINE struct filter transposed_filter_of(const float *w, const struct geometry *g) {
  struct filter f = filter_of(w, g);
  f.depth = g->filters;
  f.columns = g->channels;
  f.depth_step = patch_size(g);
  f.column_step = kernel_size(g);
  return f;
}

INLINE long panels_of(long columns) { return ceil_div(columns, TILE_COLUMNS); }

// Taps [kernel, TILE_COLUMNS] of one depth and the columns of a panel, zero where there are none.
INLINE void load_taps(const struct filter *f, long depth, long panel, float *taps) {
  for (long start = 0; start < f->kernel; start += LANES)
#pragma GCC unroll 4
    for (long first = 0; first < TILE_COLUMNS; first += LANES) {
      const long part = min_long(LANES, f->kernel - start);
      vec square[LANES];
#pragma GCC unroll 16
      for (long i = 0; i < LANES; i++) {
        const long column = panel * TILE_COLUMNS + first + i;
        const float *from = f->w + depth * f->depth_step + column * f->column_step + start;
        square[i] = column >= f->columns ? splat(0) : from + LANES <= f->end ? load(from) : load_part(from, part, 0);
      }
      transpose_square(square);
#pragma GCC unroll 16
      for (long i = 0; i < LANES; i++)
        if (i < part) store(taps + (start + i) * TILE_COLUMNS + first, square[i]);
    }
}

// A frame around an image: its size in pixels, and where the image's first pixel lies. What does not fit is left out.
struct frame {
  long height, width, top, left;
};

// The frame that holds exactly the patches.
struct frame frame_of(const struct geometry *g);

// Images [batch, height, width, channels] in their frames: x itself if these add nothing, or a copy in SCRATCH_LEFT.
const float *framed(const float *x, long batch, long height, long width, long channels, const struct frame *frame);

// dw = the sum of `count` partial gradients [kernel, channels, filters], in their order.
void join_filter_gradient(const float *partial, long count, float *dw, const struct geometry *g);

// Whether the algorithm of winograd.c serves.
int winograd_serves(const struct geometry *g);
void winograd(const struct filter *filter, int turned, const float *x, const float *bias, float *y, const struct geometry *g);
void winograd_filter_grad(const float *dy, const float *x, float *dw, const struct geometry *g);
