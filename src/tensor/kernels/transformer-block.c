// A pre-norm block of a transformer without biases, whole: x += Attention(LN(x)), then x += MLP(LN(x)). One call in the place of ten,
// and the additions of the residual are part of the product or the gradient before them.
#include "fused.h"

// What the gradient needs of the block, in one piece of memory.
struct kept {
  float *norm1, *qkv, *attended, *middle, *norm2, *before_gelu, *hidden, *mean1, *rstd1, *mean2, *rstd2, *log_sums;
};

static float *take(float **memory, long count) {
  float *taken = *memory;
  *memory += count;
  return taken;
}

// Of rows (7 d + 2 hidden + 4) numbers and one for each head of each row; the size is known to the binding too.
static struct kept parts_of(float *memory, long rows, long d, long hidden) {
  struct kept k;
  k.norm1 = take(&memory, rows * d);
  k.qkv = take(&memory, rows * 3 * d);
  k.attended = take(&memory, rows * d);
  k.middle = take(&memory, rows * d);
  k.norm2 = take(&memory, rows * d);
  k.before_gelu = take(&memory, rows * hidden);
  k.hidden = take(&memory, rows * hidden);
  k.mean1 = take(&memory, rows);
  k.rstd1 = take(&memory, rows);
  k.mean2 = take(&memory, rows);
  k.rstd2 = take(&memory, rows);
  k.log_sums = memory;
  return k;
}

// y = x w transposed + addend.
static void linear_onto(const float *x, const float *w, const float *addend, float *y, long rows, long in, long out) {
  multiply(&(struct product){.m = rows, .n = out, .k = in, .a = x, .a_row = in, .a_column = 1, .b = w, .b_row = 1, .b_column = in,
                             .c = y, .c_row = out, .addend = addend});
}

// x [batch, tokens, heads * width] to y; gains [d], qkv [3 d, d], projection [d, d], fc [hidden, d] and mlp [d, hidden]. `memory` is
// for the gradient.
EXPORT void transformer_block(const float *x, const float *norm1, const float *qkv, const float *projection, const float *norm2,
                              const float *fc, const float *mlp, float *y, float *memory, int batch, int tokens, int heads, int width,
                              int hidden, float epsilon) {
  const int rows = batch * tokens, d = heads * width;
  const struct kept k = parts_of(memory, rows, d, hidden);
  layer_norm(x, norm1, NULL, k.norm1, k.mean1, k.rstd1, rows, d, epsilon);
  linear(k.norm1, qkv, NULL, k.qkv, rows, d, 3 * d);
  attention(k.qkv, k.attended, k.log_sums, batch, tokens, heads, width);
  linear_onto(k.attended, projection, x, k.middle, rows, d, d);
  layer_norm(k.middle, norm2, NULL, k.norm2, k.mean2, k.rstd2, rows, d, epsilon);
  linear(k.norm2, fc, NULL, k.before_gelu, rows, d, hidden);
  unary_gelu(k.before_gelu, k.hidden, rows * hidden, 0);
  linear_onto(k.hidden, mlp, k.middle, y, rows, hidden, d);
}

// The gradients of all inputs for dy, with the memory that the block left. `work` is of rows (max(hidden, 3 d) + 2 d) numbers.
EXPORT void transformer_block_grad(const float *dy, const float *x, const float *norm1, const float *qkv, const float *projection,
                                   const float *norm2, const float *fc, const float *mlp, float *memory, float *work, float *dx,
                                   float *dnorm1, float *dqkv, float *dprojection, float *dnorm2, float *dfc, float *dmlp, int batch,
                                   int tokens, int heads, int width, int hidden) {
  const int rows = batch * tokens, d = heads * width;
  const struct kept k = parts_of(memory, rows, d, hidden);
  float *narrow = take(&work, (long)rows * d), *dmiddle = take(&work, (long)rows * d), *wide = work;
  linear_grad(dy, k.hidden, mlp, wide, dmlp, NULL, rows, hidden, d);
  gelu_grad(wide, k.before_gelu, wide, rows * hidden);
  linear_grad(wide, k.norm2, fc, narrow, dfc, NULL, rows, d, hidden);
  layer_norm_grad(narrow, k.middle, norm2, k.mean2, k.rstd2, dy, dmiddle, dnorm2, NULL, rows, d);
  linear_grad(dmiddle, k.attended, projection, narrow, dprojection, NULL, rows, d, d);
  attention_grad(narrow, k.qkv, k.log_sums, wide, batch, tokens, heads, width);
  linear_grad(wide, k.norm1, qkv, narrow, dqkv, NULL, rows, d, 3 * d);
  layer_norm_grad(narrow, x, norm1, k.mean1, k.rstd1, dmiddle, dx, dnorm1, NULL, rows, d);
}
