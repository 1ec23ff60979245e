// Functions of each number of a tensor, and conversions.
#include "fused.h"
#include "vmath.h"

struct chunked {
  const void *x, *x2, *x3;
  void *y;
  long count;
  float alpha;
};

// A task over the numbers [from, to) of arguments `c`.
#define CHUNK_BOUNDS                   \
  const struct chunked *c = context;   \
  const long from = task * CHUNK;      \
  const long to = min_long(c->count, from + CHUNK);

static void in_chunks(task_function run, struct chunked arguments) {
  parallel(ceil_div(arguments.count, CHUNK), run, &arguments);
}

INLINE vec sqrt_vec(vec x) {
  for (int i = 0; i < LANES; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
}

// name(x, y, count, alpha): y = the expression of vectors x and, where it has one, of the parameter alpha.
#define UNARY(name, expression)                                                               \
  INLINE vec name##_of(vec x, float alpha) {                                                  \
    (void)alpha;                                                                              \
    return expression;                                                                        \
  }                                                                                           \
  static void name##_task(void *context, long task) {                                         \
    CHUNK_BOUNDS                                                                              \
    const float *x = c->x;                                                                    \
    float *y = c->y;                                                                          \
    long i = from;                                                                            \
    for (; i + LANES <= to; i += LANES) store(y + i, name##_of(load(x + i), c->alpha));       \
    if (i < to) store_part(y + i, name##_of(load_part(x + i, to - i, 1), c->alpha), to - i);  \
  }                                                                                           \
  EXPORT void name(const float *x, float *y, int count, float alpha) {                        \
    in_chunks(name##_task, (struct chunked){.x = x, .y = y, .count = count, .alpha = alpha}); \
  }

UNARY(unary_exp, exp_vec(x))
UNARY(unary_log, log_vec(x))
UNARY(unary_sqrt, sqrt_vec(x))
UNARY(unary_rsqrt, 1.0f / sqrt_vec(x))
UNARY(unary_tanh, tanh_vec(x))
UNARY(unary_sigmoid, sigmoid_vec(x))
UNARY(unary_erf, erf_vec(x))
UNARY(unary_relu, choose(x < 0.0f, splat(0), x))
UNARY(unary_neg, -x)
UNARY(unary_square, x *x)
UNARY(unary_abs, abs_vec(x))
UNARY(unary_reciprocal, 1.0f / x)
UNARY(unary_step, choose(x > 0.0f, splat(1), choose(x != x, x, splat(alpha))))
UNARY(unary_leaky_relu, choose(x < 0.0f, alpha *x, x))
UNARY(unary_gelu, x *normal_cdf(x, &(vec){0}))

// d gelu = Phi(x) + x phi(x).
static vec gelu_slope(vec x) {
  vec density;
  const vec cdf = normal_cdf(x, &density);
  return cdf + x * density;
}

static void gelu_grad_task(void *context, long task) {
  CHUNK_BOUNDS
  const float *dy = c->x, *x = c->x2;
  float *dx = c->y;
  long i = from;
  for (; i + LANES <= to; i += LANES) store(dx + i, load(dy + i) * gelu_slope(load(x + i)));
  const long rest = to - i;
  if (rest > 0) store_part(dx + i, load_part(dy + i, rest, 0) * gelu_slope(load_part(x + i, rest, 0)), rest);
}

EXPORT void gelu_grad(const float *dy, const float *x, float *dx, int count) {
  in_chunks(gelu_grad_task, (struct chunked){.x = dy, .x2 = x, .y = dx, .count = count});
}

// name(x, y, count): conversion of a type to another.
#define CONVERT(name, from_type, to_type, expression)                          \
  static void name##_task(void *context, long task) {                          \
    CHUNK_BOUNDS                                                               \
    const from_type *input = c->x;                                             \
    to_type *y = c->y;                                                         \
    for (long i = from; i < to; i++) {                                         \
      const from_type x = input[i];                                            \
      y[i] = expression;                                                       \
    }                                                                          \
  }                                                                            \
  EXPORT void name(const from_type *x, to_type *y, int count) {                \
    in_chunks(name##_task, (struct chunked){.x = x, .y = y, .count = count});  \
  }

CONVERT(cast_bool_float32, uint8_t, float, x)
CONVERT(cast_int32_float32, int32_t, float, (float)x)
CONVERT(cast_float32_bool, float, uint8_t, x != 0.0f)

static void select_task(void *context, long task) {
  CHUNK_BOUNDS
  const uint8_t *condition = c->x;
  const float *yes = c->x2, *no = c->x3;
  float *y = c->y;
  for (long i = from; i < to; i++) y[i] = condition[i] ? yes[i] : no[i];
}

// y = condition ? yes : no, number by number.
EXPORT void select_where(const uint8_t *condition, const float *yes, const float *no, float *y, int count) {
  in_chunks(select_task, (struct chunked){.x = condition, .x2 = yes, .x3 = no, .y = y, .count = count});
}

static void fill_task(void *context, long task) {
  CHUNK_BOUNDS
  float *y = c->y;
  for (long i = from; i < to; i++) y[i] = c->alpha;
}

EXPORT void fill(float *y, int count, float value) {
  in_chunks(fill_task, (struct chunked){.y = y, .count = count, .alpha = value});
}
