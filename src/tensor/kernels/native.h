// Shared by all kernels: vector types, the thread pool, scratch memory and the matrix product.
//
// Every exported function takes float32 tensors, dense and row-major unless strides are given, and gives the same bits
// whatever the number of threads: work is cut into tasks by its shape alone, and partial sums are added in their order.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

// Numbers in a vector.
#define LANES (VECTOR_BYTES / 4)

#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t ivec __attribute__((vector_size(VECTOR_BYTES)));
// The same where it may lie at any address.
typedef float loose_vec __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));

INLINE long min_long(long a, long b) { return a < b ? a : b; }
INLINE long ceil_div(long a, long b) { return (a + b - 1) / b; }

INLINE vec load(const float *x) { return *(const loose_vec *)x; }
INLINE void store(float *y, vec value) { *(loose_vec *)y = value; }
INLINE vec splat(float value) { return value - (vec){0}; }

// The first `count` numbers at x, and `fill` in the other lanes.
INLINE vec load_part(const float *x, long count, float fill) {
  vec value = splat(fill);
  memcpy(&value, x, (size_t)count * sizeof(float));
  return value;
}

INLINE void store_part(float *y, vec value, long count) { memcpy(y, &value, (size_t)count * sizeof(float)); }

INLINE vec choose(ivec mask, vec yes, vec no) { return (vec)((mask & (ivec)yes) | (~mask & (ivec)no)); }

// Four lanes, to which the others are folded before the last ones are taken one by one.
typedef float quad __attribute__((vector_size(16)));

INLINE float sum_lanes(vec value) {
  quad parts[LANES / 4];
  memcpy(parts, &value, sizeof value);
  quad sum = parts[0];
  for (int i = 1; i < LANES / 4; i++) sum += parts[i];
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

INLINE vec max_vec(vec a, vec b) { return choose((a > b) | (a != a), a, b); }

INLINE float larger(float a, float b) { return a > b || a != a ? a : b; }

INLINE float max_lanes(vec value) {
  typedef int32_t iquad __attribute__((vector_size(16)));
  quad parts[LANES / 4];
  memcpy(parts, &value, sizeof value);
  quad most = parts[0];
  for (int i = 1; i < LANES / 4; i++) {
    const iquad keep = (most > parts[i]) | (most != most);
    most = (quad)((keep & (iquad)most) | (~keep & (iquad)parts[i]));
  }
  return larger(larger(most[0], most[2]), larger(most[1], most[3]));
}

// Runs run(context, 0) ... run(context, tasks - 1), each once, in any order and by several threads. Tasks call no parallel.
typedef void (*task_function)(void *context, long task);
void parallel(long tasks, task_function run, void *context);

// Numbers that an element-wise task handles: enough to be worth the hand-over, few enough to stay in the cache.
enum { CHUNK = 16384 };

// This thread's scratch memory for a purpose, at least `count` numbers, content arbitrary; valid until it is asked for again.
enum scratch_purpose { SCRATCH_LEFT, SCRATCH_RIGHT, SCRATCH_PARTS, SCRATCH_LOCAL, SCRATCH_PURPOSES };
float *scratch(enum scratch_purpose purpose, size_t count);

// c [m, n] = a [m, k] b [k, n] + bias [n] + addend [m, n]. Any strides: a transposed side has its two exchanged.
struct product {
  long m, n, k;
  const float *a;
  long a_row, a_column;
  const float *b;
  long b_row, b_column;
  float *c;
  long c_row;
  const float *bias;    // or NULL
  const float *addend;  // or NULL; its rows lie as far apart as those of c, which it may be itself
};
// By all threads; not within a task. Uses SCRATCH_LEFT, SCRATCH_RIGHT and SCRATCH_PARTS.
void multiply(const struct product *p);
// By this thread alone. Uses SCRATCH_RIGHT.
void multiply_alone(const struct product *p);

// y [columns] = the sum of the rows of x [rows, columns], in their order.
void sum_rows(const float *x, long rows, long columns, float *y);
