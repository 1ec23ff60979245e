// Batch normalisation (Ioffe and Szegedy 2015) of x [rows, columns], each column by itself, with its gradients. A residual may
// be added and max(0, .) be taken in the same pass.
#include "native.h"

// Numbers of a task, which stay in the cache between two passes over them.
enum { TASK_NUMBERS = 8192 };

struct norm {
  const float *x, *y, *residual, *gain, *bias, *mean, *variance, *dy;
  float *out, *dresidual;
  float *partial;       // [tasks, 2, columns]: of a task, two sums of each column
  const float *shares;  // [2, columns]: the means of dy and of dy times the normalised numbers
  long rows, columns, rows_per_task;
  float epsilon;
  int relu;
};

#define ROWS_OF_TASK                                 \
  const struct norm *n = context;                    \
  const long first = task * n->rows_per_task;        \
  const long last = min_long(n->rows, first + n->rows_per_task);

// Vectors of columns, the last one with only `part` numbers.
#define FOR_COLUMNS for (long j = 0, part; (part = min_long(LANES, n->columns - j)) > 0; j += LANES)
#define FOR_ROWS for (long row = first, at = first * n->columns + j; row < last; row++, at += n->columns)
#define AT(p) (part == LANES ? load(p) : load_part(p, part, 0))

INLINE void put(float *p, vec value, long part) {
  if (part == LANES) store(p, value);
  else store_part(p, value, part);
}

static long task_count(const struct norm *n) { return ceil_div(n->rows, n->rows_per_task); }

// Cuts the rows into tasks.
static void cut(struct norm *n) {
  n->rows_per_task = n->columns < TASK_NUMBERS ? TASK_NUMBERS / n->columns : 1;
  n->partial = scratch(SCRATCH_PARTS, (size_t)(task_count(n) * 2 * n->columns) + 1);
}

// Of a task the mean of each column and the sum of squares around it.
static void moments_task(void *context, long task) {
  ROWS_OF_TASK
  float *means = n->partial + task * 2 * n->columns, *squares = means + n->columns;
  const float scale = 1.0f / (float)(last - first);
  FOR_COLUMNS {
    vec sum = {0}, square = {0};
    FOR_ROWS sum += AT(n->x + at);
    const vec mean = sum * scale;
    FOR_ROWS {
      const vec centred = AT(n->x + at) - mean;
      square += centred * centred;
    }
    put(means + j, mean, part);
    put(squares + j, square, part);
  }
}

// Joins the moments of all tasks in their order (Chan, Golub and LeVeque 1979).
static void join_moments(const struct norm *n, float *mean, float *variance) {
  for (long j = 0; j < n->columns; j++) {
    double count = 0, total_mean = 0, squares = 0;
    const float *of_task = n->partial + j;
    for (long first = 0; first < n->rows; first += n->rows_per_task, of_task += 2 * n->columns) {
      const double more = (double)min_long(n->rows_per_task, n->rows - first);
      const double apart = (double)of_task[0] - total_mean;
      squares += (double)of_task[n->columns] + apart * apart * count * more / (count + more);
      count += more;
      total_mean += apart * more / count;
    }
    mean[j] = (float)total_mean;
    variance[j] = (float)(squares / count);
  }
}

INLINE vec rstd_of(const struct norm *n, long j, long part) {
  vec value = AT(n->variance + j) + n->epsilon;
  for (int i = 0; i < LANES; i++) value[i] = 1.0f / __builtin_sqrtf(value[i]);
  return value;
}

INLINE vec rectify(vec x) { return choose(x < 0.0f, splat(0), x); }

static void normalize_task(void *context, long task) {
  ROWS_OF_TASK
  FOR_COLUMNS {
    const vec mean = AT(n->mean + j), bias = AT(n->bias + j), scale = AT(n->gain + j) * rstd_of(n, j, part);
    FOR_ROWS {
      vec y = (AT(n->x + at) - mean) * scale + bias;
      if (n->residual) y += AT(n->residual + at);
      put(n->out + at, n->relu ? rectify(y) : y, part);
    }
  }
}

// y = gain (x - mean) / sqrt(variance + epsilon) + bias, plus residual unless that is NULL, at least 0 if relu; with the mean
// and the biased variance of each column.
EXPORT void batch_norm(const float *x, const float *gain, const float *bias, const float *residual, float *y, float *mean,
                       float *variance, int rows, int columns, float epsilon, int relu) {
  struct norm n = {.x = x, .residual = residual, .gain = gain, .bias = bias, .mean = mean, .variance = variance, .out = y,
                   .rows = rows, .columns = columns, .epsilon = epsilon, .relu = relu};
  cut(&n);
  parallel(task_count(&n), moments_task, &n);
  join_moments(&n, mean, variance);
  parallel(task_count(&n), normalize_task, &n);
}

// The gradient of what was rectified.
INLINE vec gradient_at(const struct norm *n, long at, long part) {
  const vec dy = AT(n->dy + at);
  return n->relu ? choose(AT(n->y + at) > 0.0f, dy, splat(0)) : dy;
}

// Of a task the sums, over each column, of the gradient and of the gradient times the normalised numbers.
static void sums_task(void *context, long task) {
  ROWS_OF_TASK
  float *sums = n->partial + task * 2 * n->columns, *products = sums + n->columns;
  FOR_COLUMNS {
    const vec mean = AT(n->mean + j);
    vec sum = {0}, product = {0};
    FOR_ROWS {
      const vec g = gradient_at(n, at, part);
      sum += g;
      product += g * (AT(n->x + at) - mean);
      if (n->dresidual) put(n->dresidual + at, g, part);
    }
    put(sums + j, sum, part);
    put(products + j, product * rstd_of(n, j, part), part);
  }
}

// With u the normalised number: dx = gain / sqrt(variance + epsilon) (dy - mean(dy) - u mean(dy u)).
static void gradient_task(void *context, long task) {
  ROWS_OF_TASK
  FOR_COLUMNS {
    const vec mean = AT(n->mean + j), rstd = rstd_of(n, j, part), scale = AT(n->gain + j) * rstd;
    const vec share = AT(n->shares + j), slope = AT(n->shares + n->columns + j) * rstd;
    FOR_ROWS {
      const vec g = gradient_at(n, at, part);
      put(n->out + at, scale * (g - share - (AT(n->x + at) - mean) * slope), part);
    }
  }
}

// The gradients of batch_norm; y is what that gave, and dresidual may be NULL.
EXPORT void batch_norm_grad(const float *dy, const float *x, const float *y, const float *gain, const float *mean,
                            const float *variance, float *dx, float *dgain, float *dbias, float *dresidual, int rows,
                            int columns, float epsilon, int relu) {
  struct norm n = {.dy = dy, .x = x, .y = y, .gain = gain, .mean = mean, .variance = variance, .out = dx,
                   .dresidual = dresidual, .rows = rows, .columns = columns, .epsilon = epsilon, .relu = relu};
  cut(&n);
  parallel(task_count(&n), sums_task, &n);
  float *shares = scratch(SCRATCH_LOCAL, (size_t)(2 * columns) + 1);
  for (long j = 0; j < columns; j++) {
    double sum = 0, product = 0;
    const float *of_task = n.partial + j;
    for (long first = 0; first < rows; first += n.rows_per_task, of_task += 2 * columns) {
      sum += of_task[0];
      product += of_task[columns];
    }
    dbias[j] = (float)sum;
    dgain[j] = (float)product;
    shares[j] = (float)(sum / rows);
    shares[columns + j] = (float)(product / rows);
  }
  n.shares = shares;
  parallel(task_count(&n), gradient_task, &n);
}
