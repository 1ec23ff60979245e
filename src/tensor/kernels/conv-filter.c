// The gradient of a convolution's filters.
#include "conv.h"

enum {
  BLOCK_TILES = 8,       // tiles of a patch of a task
  TASKS = 16,            // that there should be; else the images are cut into groups
};

struct filter_grad {
  const struct geometry *g;
  struct frame frame;
  const float *x, *dy;
  float *panels;   // of dy, image by image
  float *partial;  // [groups, kernel_height, kernel_width, channels, filters]
  long images_per_group, row_blocks;
};

static long panels_size(const struct geometry *g) { return panels_of(g->filters) * TILE_COLUMNS * positions(g); }

static void pack_task(void *context, long image) {
  const struct filter_grad *v = context;
  const struct geometry *g = v->g;
  const float *dy = v->dy + image * positions(g) * g->filters;
  float *out = v->panels + image * panels_size(g);
  for (long j = 0; j < g->filters; j += TILE_COLUMNS)
    pack_panel(dy + j, 1, g->filters, min_long(TILE_COLUMNS, g->filters - j), TILE_COLUMNS, positions(g), out + j * positions(g));
}

// Rows of the filter under a line of pixels, as tiles of their numbers.
static long line_tiles(const struct geometry *g) { return ceil_div((long)g->kernel_width * g->channels, TILE_ROWS); }

static void block_task(void *context, long task) {
  const struct filter_grad *v = context;
  const struct geometry *g = v->g;
  const long line = (long)g->kernel_width * g->channels;
  const long group = task / v->row_blocks, block = task % v->row_blocks;
  const long first_image = group * v->images_per_group;
  const long last_image = min_long(g->batch, first_image + v->images_per_group);
  const long last_tile = min_long(g->kernel_height * line_tiles(g), (block + 1) * BLOCK_TILES);
  for (long image = first_image; image < last_image; image++)
    for (long j = 0; j < g->filters; j += TILE_COLUMNS)
      for (long number = block * BLOCK_TILES; number < last_tile; number++) {
        const long ky = number / line_tiles(g), i = number % line_tiles(g) * TILE_ROWS;
        const long rows = min_long(TILE_ROWS, line - i), columns = min_long(TILE_COLUMNS, g->filters - j);
        const float *first = v->x + (image * v->frame.height + ky) * v->frame.width * g->channels + i;
        struct left_side side = rows_from(first, 1, rows);
        side.runs = g->out_height;
        side.run_step = g->stride_height * v->frame.width * g->channels;
        side.length = g->out_width;
        side.step = (long)g->stride_width * g->channels;
        float *out = v->partial + (group * patch_size(g) + ky * line + i) * g->filters + j;
        tile_in_place(&side, v->panels + image * panels_size(g) + j * positions(g), out, g->filters, rows, columns, NULL,
                      image > first_image ? out : NULL);
      }
}

struct join {
  const float *partial;
  float *dw;
  const struct geometry *g;
  long count;
};

// The filters of one vector: sums, turned to [channels, kernel] of each.
static void join_task(void *context, long task) {
  const struct join *v = context;
  const struct geometry *g = v->g;
  const long o = task * LANES, part = min_long(LANES, g->filters - o), patch = patch_size(g), kernel = kernel_size(g);
  for (long start = 0; start < patch; start += LANES) {
    const long length = min_long(LANES, patch - start);
    vec square[LANES] = {0};
    for (long i = 0; i < length; i++) {
      const long row = (start + i) % kernel * g->channels + (start + i) / kernel;
      for (long number = 0; number < v->count; number++) {
        const float *from = v->partial + (number * patch + row) * g->filters + o;
        square[i] += part == LANES ? load(from) : load_part(from, part, 0);
      }
    }
    transpose_square(square);
    for (long i = 0; i < part; i++) store_part(v->dw + (o + i) * patch + start, square[i], length);
  }
}

void join_filter_gradient(const float *partial, long count, float *dw, const struct geometry *g) {
  parallel(ceil_div(g->filters, LANES), join_task, &(struct join){partial, dw, g, count});
}

// The gradient dw of the filters. The images are cut into groups only where that makes tasks enough.
EXPORT void conv2d_filter_grad(const float *dy, const float *x, float *dw, const struct geometry *g) {
  const long numbers = patch_size(g) * g->filters;
  if (numbers == 0) return;
  if (g->batch == 0 || positions(g) == 0) {
    memset(dw, 0, (size_t)numbers * sizeof(float));
    return;
  }
  if (winograd_serves(g)) {
    winograd_filter_grad(dy, x, dw, g);
    return;
  }
  struct filter_grad v = {.g = g, .frame = frame_of(g), .dy = dy};
  v.x = framed(x, g->batch, g->height, g->width, g->channels, &v.frame);
  v.row_blocks = ceil_div(g->kernel_height * line_tiles(g), BLOCK_TILES);
  v.images_per_group = ceil_div(g->batch, ceil_div(TASKS, v.row_blocks));
  const long groups = ceil_div(g->batch, v.images_per_group);
  v.panels = scratch(SCRATCH_RIGHT, (size_t)(g->batch * panels_size(g)));
  v.partial = scratch(SCRATCH_PARTS, (size_t)(groups * numbers));
  parallel(g->batch, pack_task, &v);
  parallel(groups * v.row_blocks, block_task, &v);
  join_filter_gradient(v.partial, groups, dw, g);
}

// db [filters] = the sums of dy over batch and positions.
EXPORT void conv2d_bias_grad(const float *dy, float *db, const struct geometry *g) {
  sum_rows(dy, g->batch * positions(g), g->filters, db);
}
