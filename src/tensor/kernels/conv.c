// Convolution as a matrix product of patches and filters. The patches are never made: a row of one lies in the image as it is,
// once the image has a frame of zeros.
#include "conv.h"

enum {
  BLOCK_TILES = 8,   // tiles of positions of a task
  BLOCK_PANELS = 4,  // and panels of filters
};

// The taps of a filter along one axis whose pixels lie side by side, in the pixels' order.
struct axis_taps {
  long first, step, count;
};

// How far apart in memory images, rows and columns are.
struct steps {
  long image, row, column;
};

struct conv {
  const struct filter *filter;
  struct axis_taps vertical, horizontal;
  long batch, height, width;  // positions
  const float *x;             // the pixel under the first tap at the first position
  struct steps x_steps;
  long x_line;                // from one row of pixels to the next
  float *y;
  struct steps y_steps;
  const float *bias;
  float *panels;              // of the filter, depth in the order of the pixels' numbers
};

static void pack_task(void *context, long panel) {
  const struct conv *v = context;
  const struct filter *f = v->filter;
  float *to = v->panels + panel * v->vertical.count * v->horizontal.count * f->depth * TILE_COLUMNS;
  float *taps = scratch(SCRATCH_LOCAL, (size_t)(f->kernel * TILE_COLUMNS));
  for (long depth = 0; depth < f->depth; depth++, to += TILE_COLUMNS) {
    load_taps(f, depth, panel, taps);
    for (long y = 0; y < v->vertical.count; y++)
      for (long x = 0; x < v->horizontal.count; x++) {
        const long tap = v->vertical.first + y * v->vertical.step + v->horizontal.first + x * v->horizontal.step;
        memcpy(to + (y * v->horizontal.count + x) * f->depth * TILE_COLUMNS, taps + tap * TILE_COLUMNS,
               TILE_COLUMNS * sizeof(float));
      }
  }
}

static void block_task(void *context, long task) {
  enum { ROWS = BLOCK_TILES * TILE_ROWS };
  const struct conv *v = context;
  const struct filter *f = v->filter;
  const long total = v->batch * v->height * v->width;
  const long blocks = ceil_div(total, ROWS);
  const long start = task % blocks * ROWS, count = min_long(ROWS, total - start);
  const long first_panel = task / blocks * BLOCK_PANELS;
  const long last_panel = min_long(first_panel + BLOCK_PANELS, panels_of(f->columns));
  const float *from[ROWS];
  float *to[ROWS];
  long column = start % v->width, row = start / v->width % v->height, image = start / v->width / v->height;
  for (long i = 0; i < count; i++) {
    from[i] = v->x + image * v->x_steps.image + row * v->x_steps.row + column * v->x_steps.column;
    to[i] = v->y + image * v->y_steps.image + row * v->y_steps.row + column * v->y_steps.column;
    if (++column < v->width) continue;
    column = 0;
    if (++row < v->height) continue;
    row = 0;
    image++;
  }
  struct left_side side = {.runs = v->vertical.count, .run_step = v->x_line, .length = v->horizontal.count * f->depth, .step = 1};
  for (long panel = first_panel; panel < last_panel; panel++) {
    const float *right = v->panels + panel * side.runs * side.length * TILE_COLUMNS;
    const long j = panel * TILE_COLUMNS, columns = min_long(TILE_COLUMNS, f->columns - j);
    for (long i = 0; i < count; i += TILE_ROWS) {
      const long rows = min_long(TILE_ROWS, count - i);
      for (long r = 0; r < TILE_ROWS; r++) side.from[r] = from[i + min_long(r, rows - 1)];
      // The positions need not lie evenly apart.
      float tile[TILE_ROWS * TILE_COLUMNS];
      tile_in_place(&side, right, tile, TILE_COLUMNS, rows, columns, v->bias ? v->bias + j : NULL, NULL);
      for (long r = 0; r < rows; r++)
        memcpy(to[i + r] + j, tile + r * TILE_COLUMNS, (size_t)columns * sizeof(float));
    }
  }
}

static void convolve(struct conv *v) {
  const long panels = panels_of(v->filter->columns), total = v->batch * v->height * v->width;
  if (total == 0 || panels == 0) return;
  const long depth = v->vertical.count * v->horizontal.count * v->filter->depth;
  v->panels = scratch(SCRATCH_RIGHT, (size_t)(panels * depth * TILE_COLUMNS) + 1);
  parallel(panels, pack_task, v);
  parallel(ceil_div(total, BLOCK_TILES * TILE_ROWS) * ceil_div(panels, BLOCK_PANELS), block_task, v);
}

// y = convolution of x with w, plus bias [filters] unless that is NULL.
EXPORT void conv2d(const float *x, const float *w, const float *bias, float *y, const struct geometry *g) {
  const struct filter filter = filter_of(w, g);
  if (winograd_serves(g)) {
    winograd(&filter, 0, x, bias, y, g);
    return;
  }
  const struct frame frame = frame_of(g);
  const long line = frame.width * g->channels, out = g->filters;
  convolve(&(struct conv){
      .filter = &filter,
      .vertical = {0, g->kernel_width, g->kernel_height}, .horizontal = {0, 1, g->kernel_width},
      .batch = g->batch, .height = g->out_height, .width = g->out_width,
      .x = framed(x, g->batch, g->height, g->width, g->channels, &frame),
      .x_steps = {frame.height * line, g->stride_height * line, (long)g->stride_width * g->channels}, .x_line = line,
      .y = y, .y_steps = {positions(g) * out, g->out_width * out, out}, .bias = bias});
}

// Along one axis, what the gradient of the pixels first, first + stride, ... is made of: a convolution of dy with those taps
// that meet them, in reverse.
struct phase {
  struct axis_taps taps;
  long pixels;
  long start;  // the number of dy under the first tap at the first pixel; below 0 in the frame
};

static struct phase phase_of(long first, long size, long kernel, long stride, long pad) {
  const long least = (first + pad) % stride;
  const long count = kernel > least ? (kernel - 1 - least) / stride + 1 : 0;
  return (struct phase){.taps = {least + (count - 1) * stride, -stride, count},
                        .pixels = first < size ? (size - 1 - first) / stride + 1 : 0,
                        .start = (first + pad) / stride - (count - 1)};
}

// The gradient dx of the images.
EXPORT void conv2d_input_grad(const float *dy, const float *w, float *dx, const struct geometry *g) {
  const struct filter filter = transposed_filter_of(w, g);
  if (winograd_serves(g)) {
    struct geometry back = *g;
    back.height = g->out_height, back.width = g->out_width, back.channels = g->filters;
    back.out_height = g->height, back.out_width = g->width, back.filters = g->channels;
    back.pad_top = g->kernel_height - 1 - g->pad_top, back.pad_left = g->kernel_width - 1 - g->pad_left;
    winograd(&filter, 1, dy, NULL, dx, &back);
    return;
  }
  const struct frame frame = {.top = (g->kernel_height - 1) / g->stride_height, .left = (g->kernel_width - 1) / g->stride_width,
                              .height = (g->kernel_height - 1) / g->stride_height + (g->height - 1 + g->pad_top) / g->stride_height + 1,
                              .width = (g->kernel_width - 1) / g->stride_width + (g->width - 1 + g->pad_left) / g->stride_width + 1};
  const float *x = framed(dy, g->batch, g->out_height, g->out_width, g->filters, &frame);
  const long line = frame.width * g->filters, channels = g->channels;
  for (long row = 0; row < g->stride_height; row++)
    for (long column = 0; column < g->stride_width; column++) {
      struct phase v = phase_of(row, g->height, g->kernel_height, g->stride_height, g->pad_top);
      const struct phase h = phase_of(column, g->width, g->kernel_width, g->stride_width, g->pad_left);
      v.taps.first *= g->kernel_width;
      v.taps.step *= g->kernel_width;
      convolve(&(struct conv){
          .filter = &filter, .vertical = v.taps, .horizontal = h.taps, .batch = g->batch, .height = v.pixels, .width = h.pixels,
          .x = x + ((frame.top + v.start) * frame.width + frame.left + h.start) * g->filters,
          .x_steps = {frame.height * line, line, g->filters}, .x_line = line,
          .y = dx + (row * g->width + column) * channels,
          .y_steps = {image_size(g), (long)g->stride_height * g->width * channels, g->stride_width * channels}});
    }
}
