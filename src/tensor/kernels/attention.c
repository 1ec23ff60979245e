// Self-attention without a mask (Vaswani et al. 2017), each head of each sample a task. The weights are not kept: the gradient
// computes them anew, as FlashAttention does (Dao et al. 2022).
//
// Queries are taken a panel of TILE_COLUMNS at a time, each in a lane of its own, keys and values one below the other: what belongs
// to a panel stays in the first-level cache, and softmax takes no sums across lanes. Everything is computed in scratch memory, where
// tiles may be written that are larger than what they hold.
#include "fused.h"
#include "tile.h"
#include "vmath.h"

struct attention {
  const float *qkv, *dy;
  float *out, *log_sums;
  long heads, tokens, width;  // of a head
};

// The rows [tokens, width] of one head within a tensor [batch, tokens, parts, heads, width].
static float *head_of(const struct attention *a, const float *x, long parts, long part, long task) {
  return (float *)x + ((task / a->heads * a->tokens * parts + part) * a->heads + task % a->heads) * a->width;
}

#define FOR_VECTORS _Pragma("GCC unroll 4") for (int v = 0; v < TILE_VECTORS; v++)

static const float log2_e = 1.44269504f;

static void copy_rows(const float *x, long x_row, long rows, long columns, float *y, long y_row) {
  for (long i = 0; i < rows; i++) {
    long j = 0;
    for (; j + LANES <= columns; j += LANES) store(y + i * y_row + j, load(x + i * x_row + j));
    if (j < columns) store_part(y + i * y_row + j, load_part(x + i * x_row + j, columns - j, 0), columns - j);
  }
}

// c [m, vectors] = a times a panel [k, TILE_COLUMNS], or added to what is there. The rows of a lie a_step apart, or side by side where
// that is 1, and its columns `step`. Up to TILE_ROWS / 2 - 1 rows more are read and written.
INLINE void multiply_panel(const int vectors, const float *a, const long a_row, const long step, long m, long k, const float *panel,
                           float *c, long c_row, int accumulate) {
  const int together = a_row == 1;
  for (long i = 0; i < m; i += TILE_ROWS) {
    struct left_side side = {.runs = 1, .length = k, .step = step};
#pragma GCC unroll 16
    for (long r = 0; r < TILE_ROWS; r++) side.from[r] = a + (i + r) * a_row;
    float *to = c + i * c_row;
    const float *addend = accumulate ? to : NULL;
    if (m - i > TILE_ROWS / 2) tile(TILE_ROWS, vectors, together, &side, panel, to, c_row, NULL, addend);
    else tile(TILE_ROWS / 2, vectors, together, &side, panel, to, c_row, NULL, addend);
  }
}

// In place, and not divided by their sums: x = 2^(scale (x - max)) of each column of x [tokens, TILE_COLUMNS]. Gives the reciprocal
// sums, and the logarithms to the base 2 of the sums of 2^(scale x).
static void softmax_columns(float *x, long tokens, float scale, vec reciprocals[TILE_VECTORS], vec log_sums[TILE_VECTORS]) {
  vec most[TILE_VECTORS], sums[TILE_VECTORS] = {0};
  FOR_VECTORS most[v] = load(x + v * LANES);
  for (const float *at = x, *end = x + tokens * TILE_COLUMNS; at < end; at += TILE_COLUMNS) FOR_VECTORS {
    const vec y = load(at + v * LANES);
    most[v] = choose(most[v] > y, most[v], y);
  }
  FOR_VECTORS most[v] *= scale;
  for (float *at = x, *end = x + tokens * TILE_COLUMNS; at < end; at += TILE_COLUMNS) FOR_VECTORS {
    const vec y = exp2_vec(load(at + v * LANES) * scale - most[v]);
    store(at + v * LANES, y);
    sums[v] += y;
  }
  FOR_VECTORS {
    reciprocals[v] = 1.0f / sums[v];
    log_sums[v] = most[v] + log_vec(sums[v]) * log2_e;
  }
}

// Memory for `rows` and those that a tile may have too many.
static float *take(float **memory, long rows, long columns) {
  float *taken = *memory;
  *memory += (rows + TILE_ROWS) * ceil_div(columns, LANES) * LANES;
  return taken;
}

static void attention_task(void *context, long task) {
  const struct attention *a = context;
  const long t = a->tokens, w = a->width, row = 3 * a->heads * w, out_row = a->heads * w;
  const float *q = head_of(a, a->qkv, 3, 0, task);
  float *out = head_of(a, a->out, 1, 0, task);
  float *memory = scratch(SCRATCH_LOCAL, (size_t)((t + 2 * w + 3 * TILE_ROWS) * TILE_COLUMNS + 2 * (t + TILE_ROWS) * (w + LANES)));
  float *weights = take(&memory, t, TILE_COLUMNS), *queries = take(&memory, w, TILE_COLUMNS);
  float *sums = take(&memory, w, TILE_COLUMNS), *k = take(&memory, t, w), *v = take(&memory, t, w);
  copy_rows(head_of(a, a->qkv, 3, 1, task), row, t, w, k, w);
  copy_rows(head_of(a, a->qkv, 3, 2, task), row, t, w, v, w);
  for (long first = 0; first < t; first += TILE_COLUMNS) {
    const long count = min_long(TILE_COLUMNS, t - first);
    vec reciprocals[TILE_VECTORS], log_sums[TILE_VECTORS];
    pack_panel(q + first * row, row, 1, count, TILE_COLUMNS, w, queries);
    multiply_panel(TILE_VECTORS, k, w, 1, t, w, queries, weights, TILE_COLUMNS, 0);
    softmax_columns(weights, t, log2_e / __builtin_sqrtf((float)w), reciprocals, log_sums);
    memcpy(a->log_sums + task * t + first, log_sums, (size_t)count * sizeof(float));
    multiply_panel(TILE_VECTORS, v, 1, w, w, t, weights, sums, TILE_COLUMNS, 0);
    for (float *at = sums, *end = sums + w * TILE_COLUMNS; at < end; at += TILE_COLUMNS)
      FOR_VECTORS store(at + v * LANES, load(at + v * LANES) * reciprocals[v]);
    transpose(sums, TILE_COLUMNS, w, w, count, out + first * out_row, out_row);
  }
}

// qkv [batch, tokens, 3, heads, width] to out [batch, tokens, heads, width], and for the gradient the logarithms of the sums of
// softmax, to the base 2: [batch, heads, tokens].
EXPORT void attention(const float *qkv, float *out, float *log_sums, int batch, int tokens, int heads, int width) {
  struct attention a = {.qkv = qkv, .out = out, .log_sums = log_sums, .heads = heads, .tokens = tokens, .width = width};
  parallel((long)batch * heads, attention_task, &a);
}

// In place, each [tokens, TILE_COLUMNS]: scores become the weights p, and from the gradient of those dscores becomes that of the
// scores, p (x - sum(x p)) scale.
static void softmax_grad_columns(float *scores, float *dscores, long tokens, float scale, const vec log_sums[TILE_VECTORS]) {
  vec dots[TILE_VECTORS] = {0};
  for (long at = 0; at < tokens * TILE_COLUMNS; at += TILE_COLUMNS) FOR_VECTORS {
    const vec p = exp2_vec(load(scores + at + v * LANES) * (scale * log2_e) - log_sums[v]);
    store(scores + at + v * LANES, p);
    dots[v] += p * load(dscores + at + v * LANES);
  }
  for (long at = 0; at < tokens * TILE_COLUMNS; at += TILE_COLUMNS) FOR_VECTORS {
    const vec p = load(scores + at + v * LANES) * scale;
    store(dscores + at + v * LANES, p * (load(dscores + at + v * LANES) - dots[v]));
  }
}

// y [tokens, width] = x [tokens, TILE_COLUMNS] times `count` rows [width], or added to what is there. Uses a `panel`.
static void multiply_rows(const struct attention *a, const float *x, const float *rows, long row, long count, float *panel, float *y,
                          long y_row, int accumulate) {
  for (long j = 0; j < a->width; j += TILE_COLUMNS) {
    const long columns = min_long(TILE_COLUMNS, a->width - j);
    copy_rows(rows + j, row, count, columns, panel, TILE_COLUMNS);
    if (columns <= LANES) multiply_panel(1, x, TILE_COLUMNS, 1, a->tokens, count, panel, y + j, y_row, accumulate);
    else multiply_panel(TILE_VECTORS, x, TILE_COLUMNS, 1, a->tokens, count, panel, y + j, y_row, accumulate);
  }
}

static void attention_grad_task(void *context, long task) {
  const struct attention *a = context;
  const long t = a->tokens, w = a->width, row = 3 * a->heads * w, dy_row = a->heads * w;
  const long padded = ceil_div(w, TILE_COLUMNS) * TILE_COLUMNS;
  const float *q = head_of(a, a->qkv, 3, 0, task);
  const float *dy = head_of(a, a->dy, 1, 0, task);
  float *memory = scratch(SCRATCH_LOCAL, (size_t)((2 * t + w + 4 * TILE_ROWS + TILE_COLUMNS) * TILE_COLUMNS +
                                                  2 * (t + TILE_ROWS) * (w + LANES + padded)));
  float *scores = take(&memory, t, TILE_COLUMNS), *dscores = take(&memory, t, TILE_COLUMNS);
  float *columns = take(&memory, w, TILE_COLUMNS), *panel = take(&memory, TILE_COLUMNS, TILE_COLUMNS);
  float *k = take(&memory, t, w), *v = take(&memory, t, w), *dk = take(&memory, t, padded), *dv = take(&memory, t, padded);
  copy_rows(head_of(a, a->qkv, 3, 1, task), row, t, w, k, w);
  copy_rows(head_of(a, a->qkv, 3, 2, task), row, t, w, v, w);
  for (long first = 0; first < t; first += TILE_COLUMNS) {
    const long count = min_long(TILE_COLUMNS, t - first);
    vec log_sums[TILE_VECTORS] = {0};
    memcpy(log_sums, a->log_sums + task * t + first, (size_t)count * sizeof(float));
    pack_panel(q + first * row, row, 1, count, TILE_COLUMNS, w, columns);
    multiply_panel(TILE_VECTORS, k, w, 1, t, w, columns, scores, TILE_COLUMNS, 0);
    pack_panel(dy + first * dy_row, dy_row, 1, count, TILE_COLUMNS, w, columns);
    multiply_panel(TILE_VECTORS, v, w, 1, t, w, columns, dscores, TILE_COLUMNS, 0);
    softmax_grad_columns(scores, dscores, t, 1.0f / __builtin_sqrtf((float)w), log_sums);
    multiply_panel(TILE_VECTORS, k, 1, w, w, t, dscores, columns, TILE_COLUMNS, 0);
    float *dq = head_of(a, a->out, 3, 0, task);
    transpose(columns, TILE_COLUMNS, w, w, count, dq + first * row, row);
    multiply_rows(a, dscores, q + first * row, row, count, panel, dk, padded, first > 0);
    multiply_rows(a, scores, dy + first * dy_row, dy_row, count, panel, dv, padded, first > 0);
  }
  copy_rows(dk, padded, t, w, head_of(a, a->out, 3, 1, task), row);
  copy_rows(dv, padded, t, w, head_of(a, a->out, 3, 2, task), row);
}

// The gradient dqkv for dy [batch, tokens, heads, width], with the log_sums that attention gave.
EXPORT void attention_grad(const float *dy, const float *qkv, const float *log_sums, float *dqkv, int batch, int tokens,
                           int heads, int width) {
  struct attention a = {.qkv = qkv, .dy = dy, .log_sums = (float *)log_sums, .out = dqkv, .heads = heads, .tokens = tokens, .width = width};
  parallel((long)batch * heads, attention_grad_task, &a);
}
