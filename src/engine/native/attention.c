// Self-attention without a mask (Vaswani et al. 2017), each head of each sample a task. Heads are read and written where they
// lie within the rows, so that nothing is split, transposed or joined.
#include "native.h"

struct attention {
  const float *qkv, *dy;
  float *probs, *out;
  long heads, tokens, width;  // of a head
};

// The rows [tokens, width] of one head within a tensor [batch, tokens, parts, heads, width].
static const float *head_of(const struct attention *a, const float *x, long parts, long part, long task) {
  return x + ((task / a->heads * a->tokens * parts + part) * a->heads + task % a->heads) * a->width;
}

static void attention_task(void *context, long task) {
  const struct attention *a = context;
  const long t = a->tokens, w = a->width, row = 3 * a->heads * w;
  const float *q = head_of(a, a->qkv, 3, 0, task);
  const float *k = head_of(a, a->qkv, 3, 1, task);
  const float *v = head_of(a, a->qkv, 3, 2, task);
  float *probs = a->probs + task * t * t;
  const float scale = 1.0f / __builtin_sqrtf((float)w);
  multiply_alone(&(struct product){.m = t, .n = t, .k = w, .a = q, .a_row = row, .a_column = 1, .b = k, .b_row = 1,
                                   .b_column = row, .c = probs, .c_row = t});
  for (long i = 0; i < t; i++) softmax_row(probs + i * t, t, scale);
  multiply_alone(&(struct product){.m = t, .n = w, .k = t, .a = probs, .a_row = t, .a_column = 1, .b = v, .b_row = row,
                                   .b_column = 1, .c = (float *)head_of(a, a->out, 1, 0, task), .c_row = a->heads * w});
}

// qkv [batch, tokens, 3, heads, width] to out [batch, tokens, heads, width] and probs [batch, heads, tokens, tokens].
EXPORT void attention(const float *qkv, float *out, float *probs, int batch, int tokens, int heads, int width) {
  struct attention a = {.qkv = qkv, .probs = probs, .out = out, .heads = heads, .tokens = tokens, .width = width};
  parallel((long)batch * heads, attention_task, &a);
}

// x [rows, rows] in place, from the gradient of the weights p to that of the scores: p (x - sum(x p)) scale.
static void softmax_grad_rows(float *x, const float *p, long rows, float scale) {
  for (long i = 0; i < rows; i++, x += rows, p += rows) {
    vec sums = {0};
    long j = 0;
    for (; j + LANES <= rows; j += LANES) sums += load(x + j) * load(p + j);
    if (j < rows) sums += load_part(x + j, rows - j, 0) * load_part(p + j, rows - j, 0);
    const float dot = sum_lanes(sums);
    for (j = 0; j < rows; j++) x[j] = p[j] * (x[j] - dot) * scale;
  }
}

static void attention_grad_task(void *context, long task) {
  const struct attention *a = context;
  const long t = a->tokens, w = a->width, row = 3 * a->heads * w, dy_row = a->heads * w;
  const float *q = head_of(a, a->qkv, 3, 0, task);
  const float *k = head_of(a, a->qkv, 3, 1, task);
  const float *v = head_of(a, a->qkv, 3, 2, task);
  const float *dy = head_of(a, a->dy, 1, 0, task);
  const float *probs = a->probs + task * t * t;
  float *dq = (float *)head_of(a, a->out, 3, 0, task);
  float *dk = (float *)head_of(a, a->out, 3, 1, task);
  float *dv = (float *)head_of(a, a->out, 3, 2, task);
  float *scores = scratch(SCRATCH_LOCAL, (size_t)(t * t) + 1);
  multiply_alone(&(struct product){.m = t, .n = w, .k = t, .a = probs, .a_row = 1, .a_column = t, .b = dy, .b_row = dy_row,
                                   .b_column = 1, .c = dv, .c_row = row});
  multiply_alone(&(struct product){.m = t, .n = t, .k = w, .a = dy, .a_row = dy_row, .a_column = 1, .b = v, .b_row = 1,
                                   .b_column = row, .c = scores, .c_row = t});
  softmax_grad_rows(scores, probs, t, 1.0f / __builtin_sqrtf((float)w));
  multiply_alone(&(struct product){.m = t, .n = w, .k = t, .a = scores, .a_row = t, .a_column = 1, .b = k, .b_row = row,
                                   .b_column = 1, .c = dq, .c_row = row});
  multiply_alone(&(struct product){.m = t, .n = w, .k = t, .a = scores, .a_row = 1, .a_column = t, .b = q, .b_row = row,
                                   .b_column = 1, .c = dk, .c_row = row});
}

// The gradient dqkv for dy [batch, tokens, heads, width], with the probs that attention gave.
EXPORT void attention_grad(const float *dy, const float *qkv, float *probs, float *dqkv, int batch, int tokens, int heads,
                           int width) {
  struct attention a = {.qkv = qkv, .dy = dy, .probs = probs, .out = dqkv, .heads = heads, .tokens = tokens, .width = width};
  parallel((long)batch * heads, attention_grad_task, &a);
}
