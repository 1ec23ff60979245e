// Arithmetic and comparison of two tensors with broadcasting.
#include "native.h"

// A row of the result. A step is 1, or 0 where one number stands for the whole row.
typedef void (*row_function)(const float *a, long a_step, const float *b, long b_step, void *out, long count);

enum { MAX_RANK = 8 };

struct broadcast {
  row_function row;
  const float *a, *b;
  char *out;
  size_t out_size;
  const int32_t *shape, *a_strides, *b_strides;
  int rank;
  long count;
};

// The numbers [from, to) of the result, piece by piece of its rows.
static void broadcast_task(void *context, long task) {
  const struct broadcast *w = context;
  const int last = w->rank - 1;
  const long from = task * CHUNK;
  const long to = min_long(w->count, from + CHUNK);
  long position[MAX_RANK];
  long rest = from, a = 0, b = 0;
  for (int axis = last; axis >= 0; axis--) {
    position[axis] = rest % w->shape[axis];
    rest /= w->shape[axis];
    a += position[axis] * w->a_strides[axis];
    b += position[axis] * w->b_strides[axis];
  }
  for (long at = from; at < to;) {
    const long count = min_long(w->shape[last] - position[last], to - at);
    w->row(w->a + a, w->a_strides[last], w->b + b, w->b_strides[last], w->out + (size_t)at * w->out_size, count);
    at += count;
    // To the start of the next row.
    a -= position[last] * w->a_strides[last];
    b -= position[last] * w->b_strides[last];
    position[last] = 0;
    for (int axis = last - 1; axis >= 0; axis--) {
      a += w->a_strides[axis];
      b += w->b_strides[axis];
      if (++position[axis] < w->shape[axis]) break;
      a -= position[axis] * w->a_strides[axis];
      b -= position[axis] * w->b_strides[axis];
      position[axis] = 0;
    }
  }
}

// name(a, b, out, layout, rank, count): layout is [3, rank], the result's shape and the strides of a and b, 0 along axes over
// which one is broadcast; the last axis has stride 1 otherwise.
#define BINARY(name, type, expression)                                                                       \
  static void name##_row(const float *x, long x_step, const float *y, long y_step, void *out, long count) {  \
    type *z = out;                                                                                           \
    if (x_step && y_step)                                                                                    \
      for (long i = 0; i < count; i++) {                                                                     \
        const float a = x[i], b = y[i];                                                                      \
        z[i] = expression;                                                                                   \
      }                                                                                                      \
    else if (x_step) {                                                                                       \
      const float b = *y;                                                                                    \
      for (long i = 0; i < count; i++) {                                                                     \
        const float a = x[i];                                                                                \
        z[i] = expression;                                                                                   \
      }                                                                                                      \
    } else {                                                                                                 \
      const float a = *x;                                                                                    \
      for (long i = 0; i < count; i++) {                                                                     \
        const float b = y[i];                                                                                \
        z[i] = expression;                                                                                   \
      }                                                                                                      \
    }                                                                                                        \
  }                                                                                                          \
  EXPORT void name(const float *a, const float *b, type *out, const int32_t *layout, int rank, int count) {  \
    parallel(ceil_div(count, CHUNK), broadcast_task,                                                         \
             &(struct broadcast){name##_row, a, b, (char *)out, sizeof(type), layout, layout + rank,         \
                                 layout + 2 * rank, rank, count});                                           \
  }

BINARY(binary_add, float, a + b)
BINARY(binary_sub, float, a - b)
BINARY(binary_multiply, float, a *b)
BINARY(binary_divide, float, a / b)
BINARY(binary_maximum, float, a > b || a != a ? a : b)
BINARY(binary_minimum, float, a < b || a != a ? a : b)
BINARY(binary_squared_difference, float, (a - b) * (a - b))
BINARY(binary_greater, uint8_t, a > b)
BINARY(binary_greater_equal, uint8_t, a >= b)
BINARY(binary_less, uint8_t, a < b)
BINARY(binary_less_equal, uint8_t, a <= b)
BINARY(binary_equal, uint8_t, a == b)
BINARY(binary_not_equal, uint8_t, a != b)
