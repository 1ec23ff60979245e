// Convolution with 3x3 filters and stride 1 by Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray 2016): tiles of 4x4
// pixels and the filters are transformed, so that 16 matrix products, one for each point of a tile, take the place of the
// convolution. Each gives four results for 16 multiplications instead of 36. Its gradient for the filters is F(3x3, 2x2).
#include "conv.h"

enum {
  POINTS = 16,
  BLOCK_TILES = 60,      // image tiles that a task holds at once: five tiles of the product with AVX-512
  BLOCK_FILTERS = 256,   // and filters
  GRAD_CHANNELS = 96,    // channels and filters of a task of the filters' gradient
  GRAD_FILTERS = 64,
  GRAD_TASKS = 16,       // tasks that it should have; else the images' tiles are cut into groups
};

int winograd_serves(const struct geometry *g) {
  return g->kernel_height == 3 && g->kernel_width == 3 && g->stride_height == 1 && g->stride_width == 1 && g->pad_top <= 2 &&
         g->pad_left <= 2 && g->channels % LANES == 0 && g->filters % LANES == 0 && g->channels > 0 && g->filters > 0 &&
         g->out_height > 1 && g->out_width > 1;
}

struct winograd {
  const struct geometry *g;
  const struct filter *filter;
  int turned;              // whether the filter's taps are used in reverse
  const float *x, *dy, *bias, *zeros;
  float *y;
  float *panels;           // transformed filters [POINTS, panels, depth, TILE_COLUMNS]
  float *partial;          // gradients of the filters [groups, 3, 3, channels, filters]
  long tiles, tiles_per_group, tile_rows, tile_columns;
};

static void cut(struct winograd *v) {
  v->tile_rows = ceil_div(v->g->out_height, 2);
  v->tile_columns = ceil_div(v->g->out_width, 2);
  v->tiles = v->g->batch * v->tile_rows * v->tile_columns;
}

// A block of transformed tiles: number (point, tile, j) is at point * point_step + tile * row + j. Rows and points are put out
// of step with the cache's sets by a vector each.
struct block {
  float *numbers;
  long row, point_step;
};

static struct block block_at(float *memory, long tiles, long width) {
  return (struct block){memory, width + LANES, tiles * (width + LANES) + LANES};
}

static long block_size(long tiles, long width) { return POINTS * (tiles * (width + LANES) + LANES); }

// The pixels of the `size` by `size` square of a tile, those outside of the image zero.
INLINE void pixels_of(const struct winograd *v, long tile, const int size, const float *x, long height, long width, long channels,
                      long top, long left, const float *pixels[]) {
  const long column = tile % v->tile_columns, row = tile / v->tile_columns % v->tile_rows;
  const float *image = x + tile / v->tile_columns / v->tile_rows * height * width * channels;
  for (long i = 0; i < size; i++)
    for (long j = 0; j < size; j++) {
      const long y = 2 * row + i - top, z = 2 * column + j - left;
      const int inside = y >= 0 && y < height && z >= 0 && z < width;
      pixels[i * size + j] = inside ? image + (y * width + z) * channels : v->zeros;
    }
}

// B^T d B, in place: columns, then rows.
INLINE void transform_pixels(vec d[POINTS]) {
#pragma GCC unroll 2
  for (int pass = 0; pass < 2; pass++) {
    const int step = pass ? 1 : 4, next = pass ? 4 : 1;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      vec *e = d + i * next;
      const vec first = e[0] - e[2 * step], second = e[step] + e[2 * step], third = e[2 * step] - e[step];
      e[3 * step] = e[step] - e[3 * step];
      e[0] = first, e[step] = second, e[2 * step] = third;
    }
  }
}

// Transforms the pixels of tiles [first, first + count), channels [from, from + width).
static void transform_tiles(const struct winograd *v, long first, long count, long from, long width, struct block out) {
  const struct geometry *g = v->g;
  for (long t = 0; t < count; t++) {
    const float *pixels[POINTS];
    pixels_of(v, first + t, 4, v->x, g->height, g->width, g->channels, g->pad_top, g->pad_left, pixels);
    float *to = out.numbers + t * out.row;
    for (long c = 0; c < width; c += LANES) {
      vec d[POINTS];
#pragma GCC unroll 16
      for (int p = 0; p < POINTS; p++) d[p] = load(pixels[p] + (pixels[p] == v->zeros ? 0 : from) + c);
      transform_pixels(d);
#pragma GCC unroll 16
      for (int p = 0; p < POINTS; p++) store(to + p * out.point_step + c, d[p]);
    }
  }
}

// G g G^T of every depth and the columns of a panel.
static void filter_task(void *context, long panel) {
  const struct winograd *v = context;
  const struct filter *f = v->filter;
  const long size = f->depth * TILE_COLUMNS, point_step = panels_of(f->columns) * size;
  float *to = v->panels + panel * size;
  float taps[9 * TILE_COLUMNS];
  for (long depth = 0; depth < f->depth; depth++, to += TILE_COLUMNS) {
    load_taps(f, depth, panel, taps);
    for (long j = 0; j < TILE_COLUMNS; j += LANES) {
      vec rows[4][3];
#pragma GCC unroll 3
      for (int i = 0; i < 3; i++) {
        vec tap[3];
#pragma GCC unroll 3
        for (int k = 0; k < 3; k++) tap[k] = load(taps + (v->turned ? 8 - (3 * k + i) : 3 * k + i) * TILE_COLUMNS + j);
        rows[0][i] = tap[0];
        rows[1][i] = 0.5f * (tap[0] + tap[1] + tap[2]);
        rows[2][i] = 0.5f * (tap[0] - tap[1] + tap[2]);
        rows[3][i] = tap[2];
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        store(to + (4 * i + 0) * point_step + j, rows[i][0]);
        store(to + (4 * i + 1) * point_step + j, 0.5f * (rows[i][0] + rows[i][1] + rows[i][2]));
        store(to + (4 * i + 2) * point_step + j, 0.5f * (rows[i][0] - rows[i][1] + rows[i][2]));
        store(to + (4 * i + 3) * point_step + j, rows[i][2]);
      }
    }
  }
}

// A^T m A, plus bias, of tiles [first, first + count), to filters [from, from + width) of y.
static void transform_back(const struct winograd *v, struct block products, long first, long count, long from, long width) {
  const struct geometry *g = v->g;
  for (long t = 0; t < count; t++) {
    const long tile = first + t;
    const long x = tile % v->tile_columns * 2, y = tile / v->tile_columns % v->tile_rows * 2;
    const long image = tile / v->tile_columns / v->tile_rows;
    const int right = x + 1 < g->out_width, below = y + 1 < g->out_height;
    const float *m = products.numbers + t * products.row;
    float *to = v->y + ((image * g->out_height + y) * g->out_width + x) * g->filters + from;
    const long line = (long)g->out_width * g->filters;
    for (long j = 0; j < width; j += LANES) {
      const vec bias = v->bias ? load(v->bias + from + j) : splat(0);
      vec upper[4], lower[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        const vec m0 = load(m + i * products.point_step + j), m1 = load(m + (4 + i) * products.point_step + j);
        const vec m2 = load(m + (8 + i) * products.point_step + j), m3 = load(m + (12 + i) * products.point_step + j);
        upper[i] = m0 + m1 + m2;
        lower[i] = m1 - m2 - m3;
      }
      store(to + j, upper[0] + upper[1] + upper[2] + bias);
      if (right) store(to + g->filters + j, upper[1] - upper[2] - upper[3] + bias);
      if (below) store(to + line + j, lower[0] + lower[1] + lower[2] + bias);
      if (right && below) store(to + line + g->filters + j, lower[1] - lower[2] - lower[3] + bias);
    }
  }
}

static void block_task(void *context, long task) {
  const struct winograd *v = context;
  const struct filter *f = v->filter;
  const long blocks = ceil_div(v->tiles, BLOCK_TILES);
  const long first = task % blocks * BLOCK_TILES, count = min_long(BLOCK_TILES, v->tiles - first);
  const long from = task / blocks * BLOCK_FILTERS, width = min_long(BLOCK_FILTERS, f->columns - from);
  const long pixels_size = block_size(BLOCK_TILES, f->depth);
  float *memory = scratch(SCRATCH_LOCAL, (size_t)(pixels_size + block_size(BLOCK_TILES, BLOCK_FILTERS)));
  const struct block pixels = block_at(memory, BLOCK_TILES, f->depth);
  const struct block products = block_at(memory + pixels_size, BLOCK_TILES, width);
  transform_tiles(v, first, count, 0, f->depth, pixels);
  for (long point = 0; point < POINTS; point++)
    for (long j = 0; j < width; j += TILE_COLUMNS) {
      const long columns = min_long(TILE_COLUMNS, width - j);
      const float *right = v->panels + (point * panels_of(f->columns) + (from + j) / TILE_COLUMNS) * f->depth * TILE_COLUMNS;
      for (long i = 0; i < count; i += TILE_ROWS) {
        const long rows = min_long(TILE_ROWS, count - i);
        struct left_side side = rows_from(pixels.numbers + point * pixels.point_step + i * pixels.row, pixels.row, rows);
        side.runs = 1;
        side.length = f->depth;
        side.step = 1;
        tile_in_place(&side, right, products.numbers + point * products.point_step + i * products.row + j, products.row, rows,
                      columns, NULL, NULL);
      }
    }
  transform_back(v, products, first, count, from, width);
}

static const float *zeros_of(long count) {
  float *zeros = scratch(SCRATCH_LEFT, (size_t)count);
  memset(zeros, 0, (size_t)count * sizeof(float));
  return zeros;
}

// y = convolution of x with the filter, its taps in reverse if it is `turned`, plus bias unless that is NULL.
void winograd(const struct filter *filter, int turned, const float *x, const float *bias, float *y, const struct geometry *g) {
  struct winograd v = {.g = g, .filter = filter, .turned = turned, .x = x, .bias = bias, .y = y, .zeros = zeros_of(g->channels)};
  cut(&v);
  const long panels = panels_of(filter->columns);
  v.panels = scratch(SCRATCH_RIGHT, (size_t)(POINTS * panels * filter->depth * TILE_COLUMNS));
  parallel(panels, filter_task, &v);
  parallel(ceil_div(v.tiles, BLOCK_TILES) * ceil_div(filter->columns, BLOCK_FILTERS), block_task, &v);
}

// A dy A^T of tiles [first, first + count), filters [from, from + width), each point's as panels [tiles, TILE_COLUMNS].
static void transform_gradients(const struct winograd *v, long first, long count, long from, long width, float *out) {
  const struct geometry *g = v->g;
  const long point_step = panels_of(width) * BLOCK_TILES * TILE_COLUMNS;
  for (long t = 0; t < count; t++) {
    const float *pixels[4];
    pixels_of(v, first + t, 2, v->dy, g->out_height, g->out_width, g->filters, 0, 0, pixels);
    for (long j = 0; j < width; j += LANES) {
      vec d[4];
#pragma GCC unroll 4
      for (int p = 0; p < 4; p++) d[p] = load(pixels[p] + (pixels[p] == v->zeros ? 0 : from) + j);
      const vec rows[4][2] = {{d[0], d[1]}, {d[0] + d[2], d[1] + d[3]}, {d[0] - d[2], d[1] - d[3]}, {-d[2], -d[3]}};
      float *to = out + (j / TILE_COLUMNS * BLOCK_TILES + t) * TILE_COLUMNS + j % TILE_COLUMNS;
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        store(to + (4 * i + 0) * point_step, rows[i][0]);
        store(to + (4 * i + 1) * point_step, rows[i][0] + rows[i][1]);
        store(to + (4 * i + 2) * point_step, rows[i][0] - rows[i][1]);
        store(to + (4 * i + 3) * point_step, -rows[i][1]);
      }
    }
  }
}

// G^T p G of the products [POINTS, channels, filters] of one task, to its place among the partial gradients.
static void gradient_back(const float *products, long channels, long filters, float *out, const struct geometry *g) {
  const long step = channels * filters, tap_step = (long)g->channels * g->filters;
  for (long c = 0; c < channels; c++)
    for (long j = 0; j < filters; j += LANES) {
      const float *p = products + c * filters + j;
      vec rows[3][4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        const vec middle = load(p + (4 + i) * step), other = load(p + (8 + i) * step);
        rows[0][i] = load(p + i * step) + 0.5f * (middle + other);
        rows[1][i] = 0.5f * (middle - other);
        rows[2][i] = 0.5f * (middle + other) + load(p + (12 + i) * step);
      }
      float *to = out + c * g->filters + j;
#pragma GCC unroll 3
      for (int i = 0; i < 3; i++) {
        store(to + (3 * i + 0) * tap_step, rows[i][0] + 0.5f * (rows[i][1] + rows[i][2]));
        store(to + (3 * i + 1) * tap_step, 0.5f * (rows[i][1] - rows[i][2]));
        store(to + (3 * i + 2) * tap_step, 0.5f * (rows[i][1] + rows[i][2]) + rows[i][3]);
      }
    }
}

static void grad_task(void *context, long task) {
  const struct winograd *v = context;
  const struct geometry *g = v->g;
  const long channel_blocks = ceil_div(g->channels, GRAD_CHANNELS), filter_blocks = ceil_div(g->filters, GRAD_FILTERS);
  const long c = task % channel_blocks * GRAD_CHANNELS, channels = min_long(GRAD_CHANNELS, g->channels - c);
  const long o = task / channel_blocks % filter_blocks * GRAD_FILTERS, filters = min_long(GRAD_FILTERS, g->filters - o);
  const long group = task / channel_blocks / filter_blocks;
  const long start = group * v->tiles_per_group, end = min_long(v->tiles, start + v->tiles_per_group);
  const long pixels_size = block_size(BLOCK_TILES, channels);
  const long point_step = panels_of(filters) * BLOCK_TILES * TILE_COLUMNS;
  float *memory = scratch(SCRATCH_LOCAL, (size_t)(pixels_size + POINTS * (point_step + channels * filters)));
  const struct block pixels = block_at(memory, BLOCK_TILES, channels);
  float *gradients = memory + pixels_size, *products = gradients + POINTS * point_step;
  for (long first = start; first < end; first += BLOCK_TILES) {
    const long count = min_long(BLOCK_TILES, end - first);
    transform_tiles(v, first, count, c, channels, pixels);
    transform_gradients(v, first, count, o, filters, gradients);
    for (long point = 0; point < POINTS; point++)
      for (long j = 0; j < filters; j += TILE_COLUMNS)
        for (long i = 0; i < channels; i += TILE_ROWS) {
          const long rows = min_long(TILE_ROWS, channels - i), columns = min_long(TILE_COLUMNS, filters - j);
          struct left_side side = rows_from(pixels.numbers + point * pixels.point_step + i, 1, rows);
          side.runs = 1;
          side.length = count;
          side.step = pixels.row;
          float *out = products + (point * channels + i) * filters + j;
          tile_in_place(&side, gradients + point * point_step + j * BLOCK_TILES, out, filters, rows, columns, NULL,
                        first > start ? out : NULL);
        }
  }
  gradient_back(products, channels, filters, v->partial + (group * 9 * g->channels + c) * g->filters + o, g);
}

// dw = the gradient of the filters.
void winograd_filter_grad(const float *dy, const float *x, float *dw, const struct geometry *g) {
  struct winograd v = {.g = g, .x = x, .dy = dy, .zeros = zeros_of(g->channels > g->filters ? g->channels : g->filters)};
  cut(&v);
  const long blocks = ceil_div(g->channels, GRAD_CHANNELS) * ceil_div(g->filters, GRAD_FILTERS);
  v.tiles_per_group = ceil_div(ceil_div(v.tiles, ceil_div(GRAD_TASKS, blocks)), BLOCK_TILES) * BLOCK_TILES;
  const long groups = ceil_div(v.tiles, v.tiles_per_group);
  v.partial = scratch(SCRATCH_PARTS, (size_t)(groups * patch_size(g) * g->filters));
  parallel(groups * blocks, grad_task, &v);
  join_filter_gradient(v.partial, groups, dw, g);
}
