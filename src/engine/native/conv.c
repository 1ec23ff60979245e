// Convolution as a matrix product of patches [positions, patch] and the filter [kernel_height, kernel_width, channels,
// filters]. The patches are never made: a row of one lies in the image as it is, and neighbouring patches a fixed step apart.
#include "conv.h"
#include "tile.h"

// A frame around an image: zeros at its border and, for the gradient, between its rows and columns.
struct frame {
  long height, width;         // in pixels
  long top, left;             // of the image's first pixel
  long row_step, column_step; // from one pixel of the image to the next
};

struct conv {
  const struct geometry *g;
  struct frame frame;
  const float *x, *dy, *bias;
  float *y;
  const float *filter;  // in panels
  float *panels;        // of dy
  float *partial;       // sums of the tasks of the filter's gradient
  long images_per_task;
};

static long frame_size(const struct conv *v) { return v->frame.height * v->frame.width * v->g->channels; }

// The frame that holds every patch.
static struct frame frame_of(const struct geometry *g) {
  return (struct frame){
      .height = (g->out_height - 1L) * g->stride_height + (g->kernel_height - 1L) * g->dilation_height + 1,
      .width = (g->out_width - 1L) * g->stride_width + (g->kernel_width - 1L) * g->dilation_width + 1,
      .top = g->pad_top, .left = g->pad_left, .row_step = 1, .column_step = 1};
}

// The image in its frame: itself if that adds nothing, or a copy.
static const float *framed(const struct conv *v, const float *image) {
  const struct geometry *g = v->g;
  const struct frame *f = &v->frame;
  const long c = g->channels;
  if (f->top == 0 && f->left == 0 && f->row_step == 1 && f->column_step == 1 && f->width == g->width && f->height <= g->height)
    return image;
  float *copy = scratch(SCRATCH_LOCAL, (size_t)frame_size(v) + 1);
  memset(copy, 0, (size_t)frame_size(v) * sizeof(float));
  for (long y = 0; y < g->height; y++) {
    const long row = f->top + y * f->row_step;
    if (row < 0 || row >= f->height) continue;
    for (long x = 0; x < g->width; x++) {
      const long column = f->left + x * f->column_step;
      if (column < 0 || column >= f->width) continue;
      // All that is in one piece at once.
      const long pixels = f->column_step == 1 ? min_long(g->width - x, f->width - column) : 1;
      memcpy(copy + (row * f->width + column) * c, image + (y * g->width + x) * c, (size_t)(pixels * c) * sizeof(float));
      x += pixels - 1;
    }
  }
  return copy;
}

// Numbers of a patch that lie in one piece, the number of such pieces, and from one to the next in a dilated filter.
static long piece_length(const struct geometry *g) { return g->dilation_width == 1 ? g->kernel_width * g->channels : g->channels; }
static long piece_count(const struct geometry *g) { return patch_size(g) / piece_length(g); }
static long piece_offset(const struct conv *v, long piece) {
  const struct geometry *g = v->g;
  const long in_row = g->dilation_width == 1 ? 1 : g->kernel_width;
  return (piece / in_row * g->dilation_height * v->frame.width + piece % in_row * g->dilation_width) * g->channels;
}

// A right side [depth, columns] in panels, at most `columns` numbers of each row of which exist.
static void pack_columns(const float *x, long depth, long columns, float *out) {
  for (long j = 0; j < columns; j += TILE_COLUMNS)
    pack_panel(x + j, 1, columns, min_long(TILE_COLUMNS, columns - j), TILE_COLUMNS, depth, out + j * depth);
}

static long padded(long columns) { return ceil_div(columns, TILE_COLUMNS) * TILE_COLUMNS; }

static void forward_task(void *context, long number) {
  const struct conv *v = context;
  const struct geometry *g = v->g;
  const float *image = framed(v, v->x + number * image_size(g));
  const long piece = piece_length(g), pieces = piece_count(g), patch = patch_size(g);
  // The rows of the filter are the runs of a patch, if these are evenly apart; otherwise each is a product of its own.
  const int even = g->dilation_width == 1;
  const long row_step = (long)g->stride_width * g->channels;
  for (long j = 0; j < g->filters; j += TILE_COLUMNS)
    for (long y = 0; y < g->out_height; y++)
      for (long x = 0; x < g->out_width; x += TILE_ROWS) {
        const long rows = min_long(TILE_ROWS, g->out_width - x), columns = min_long(TILE_COLUMNS, g->filters - j);
        const float *first = image + (y * g->stride_height * v->frame.width + x * g->stride_width) * g->channels;
        float *out = v->y + ((number * g->out_height + y) * g->out_width + x) * g->filters + j;
        for (long p = 0; p < (even ? 1 : pieces); p++) {
          struct left_side side = rows_from(first + piece_offset(v, p), row_step, rows);
          side.runs = even ? pieces : 1;
          side.run_step = piece_offset(v, 1);
          side.length = piece;
          side.step = 1;
          const float *right = v->filter + j * patch + p * piece * TILE_COLUMNS;
          tile_in_place(&side, right, out, g->filters, rows, columns, v->bias && p == 0 ? v->bias + j : NULL, p > 0);
        }
      }
}

// y = convolution of the framed images with the filter.
static void forward(struct conv *v, const float *filter) {
  const struct geometry *g = v->g;
  if (positions(g) == 0 || g->filters == 0) return;
  float *panels = scratch(SCRATCH_RIGHT, (size_t)(padded(g->filters) * patch_size(g)) + 1);
  pack_columns(filter, patch_size(g), g->filters, panels);
  v->filter = panels;
  parallel(g->batch, forward_task, v);
}

// y = convolution of x with w, plus bias [filters] unless that is NULL.
EXPORT void conv2d(const float *x, const float *w, const float *bias, float *y, const struct geometry *g) {
  forward(&(struct conv){.g = g, .frame = frame_of(g), .x = x, .y = y, .bias = bias}, w);
}

// The gradient dx of the images: the convolution of dy, with zeros between its pixels where the stride is above 1, with the
// filter turned around.
EXPORT void conv2d_input_grad(const float *dy, const float *w, float *dx, const struct geometry *g) {
  const long kernel = (long)g->kernel_height * g->kernel_width;
  float *turned = scratch(SCRATCH_PARTS, (size_t)(patch_size(g) * g->filters) + 1);
  for (long k = 0; k < kernel; k++)
    for (long i = 0; i < g->channels; i++)
      for (long o = 0; o < g->filters; o++)
        turned[((kernel - 1 - k) * g->filters + o) * g->channels + i] = w[(k * g->channels + i) * g->filters + o];
  const struct geometry back = {
      .batch = g->batch, .height = g->out_height, .width = g->out_width, .channels = g->filters,
      .out_height = g->height, .out_width = g->width, .filters = g->channels,
      .kernel_height = g->kernel_height, .kernel_width = g->kernel_width, .stride_height = 1, .stride_width = 1,
      .dilation_height = g->dilation_height, .dilation_width = g->dilation_width,
      .pad_top = (g->kernel_height - 1) * g->dilation_height - g->pad_top,
      .pad_left = (g->kernel_width - 1) * g->dilation_width - g->pad_left};
  struct conv v = {.g = &back, .frame = frame_of(&back), .x = dy, .y = dx};
  v.frame.row_step = g->stride_height;
  v.frame.column_step = g->stride_width;
  forward(&v, turned);
}

// Adds up the gradient of the filter over some images, in this task's partial sums.
static void filter_grad_task(void *context, long task) {
  const struct conv *v = context;
  const struct geometry *g = v->g;
  const long piece = piece_length(g), patch = patch_size(g);
  const long first_image = task * v->images_per_task;
  const long last_image = min_long(g->batch, first_image + v->images_per_task);
  float *panels = scratch(SCRATCH_RIGHT, (size_t)(padded(g->filters) * positions(g)) + 1);
  for (long number = first_image; number < last_image; number++) {
    const float *image = framed(v, v->x + number * image_size(g));
    pack_columns(v->dy + number * positions(g) * g->filters, positions(g), g->filters, panels);
    for (long j = 0; j < g->filters; j += TILE_COLUMNS)
      for (long p = 0; p < piece_count(g); p++)
        for (long i = 0; i < piece; i += TILE_ROWS) {
          const long rows = min_long(TILE_ROWS, piece - i), columns = min_long(TILE_COLUMNS, g->filters - j);
          struct left_side side = rows_from(image + piece_offset(v, p) + i, 1, rows);
          side.runs = g->out_height;
          side.run_step = g->stride_height * v->frame.width * g->channels;
          side.length = g->out_width;
          side.step = (long)g->stride_width * g->channels;
          float *out = v->partial + (task * patch + p * piece + i) * g->filters + j;
          tile_in_place(&side, panels + j * positions(g), out, g->filters, rows, columns, NULL, number > first_image);
        }
  }
}

// The gradient dw of the filter: partial sums of at most 16 groups of images, whatever the number of threads.
EXPORT void conv2d_filter_grad(const float *dy, const float *x, float *dw, const struct geometry *g) {
  enum { GROUPS = 16 };
  const long numbers = patch_size(g) * g->filters;
  if (numbers == 0) return;
  struct conv v = {.g = g, .frame = frame_of(g), .x = x, .dy = dy, .images_per_task = ceil_div(g->batch, GROUPS)};
  if (g->batch == 0 || positions(g) == 0) {
    memset(dw, 0, (size_t)numbers * sizeof(float));
    return;
  }
  const long tasks = ceil_div(g->batch, v.images_per_task);
  v.partial = tasks > 1 ? scratch(SCRATCH_PARTS, (size_t)(tasks * numbers)) : dw;
  parallel(tasks, filter_grad_task, &v);
  if (tasks == 1) return;
  memcpy(dw, v.partial, (size_t)numbers * sizeof(float));
  for (long task = 1; task < tasks; task++)
    for (long i = 0; i < numbers; i++) dw[i] += v.partial[task * numbers + i];
}

// db [filters] = the sums of dy over batch and positions.
EXPORT void conv2d_bias_grad(const float *dy, float *db, const struct geometry *g) {
  sum_rows(dy, g->batch * positions(g), g->filters, db);
}
