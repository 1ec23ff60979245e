// Layer normalisation (Ba et al. 2016) and its gradients.
#include "fused.h"

enum { TASK_ROWS = 32 };

struct norm {
  const float *x, *gain, *bias, *dy, *addend;
  float *y, *mean, *rstd;
  float *partial;  // [tasks, 2, columns]: sums of a task for the gradients of gain and bias
  long rows, columns;
  float epsilon;
};

// Sums over a row of columns: of `expression` of vectors that it loads by AT.
#define AT(p) (part == LANES ? load((p) + j) : load_part((p) + j, part, 0))
#define FOR_COLUMNS for (long j = 0, part; (part = min_long(LANES, n->columns - j)) > 0; j += LANES)
#define PUT(p, value)                              \
  do {                                             \
    const vec put_value = value;                   \
    if (part == LANES) store((p) + j, put_value);  \
    else store_part((p) + j, put_value, part);     \
  } while (0)

static void norm_task(void *context, long task) {
  const struct norm *n = context;
  const long last = min_long(n->rows, (task + 1) * TASK_ROWS);
  const float scale = 1.0f / (float)n->columns;
  for (long row = task * TASK_ROWS; row < last; row++) {
    const float *x = n->x + row * n->columns;
    float *y = n->y + row * n->columns;
    vec sum = {0}, squares = {0};
    FOR_COLUMNS sum += AT(x);
    const float mean = sum_lanes(sum) * scale;
    FOR_COLUMNS {
      const vec centred = (part == LANES ? load(x + j) : load_part(x + j, part, mean)) - mean;
      squares += centred * centred;
    }
    const float rstd = 1.0f / __builtin_sqrtf(sum_lanes(squares) * scale + n->epsilon);
    if (n->bias) FOR_COLUMNS PUT(y, (AT(x) - mean) * rstd * AT(n->gain) + AT(n->bias));
    else FOR_COLUMNS PUT(y, (AT(x) - mean) * rstd * AT(n->gain));
    n->mean[row] = mean;
    n->rstd[row] = rstd;
  }
}

// y, and of each row its mean and 1 / sqrt(variance + epsilon); bias may be NULL.
EXPORT void layer_norm(const float *x, const float *gain, const float *bias, float *y, float *mean, float *rstd, int rows,
                       int columns, float epsilon) {
  struct norm n = {.x = x, .gain = gain, .bias = bias, .y = y, .mean = mean, .rstd = rstd, .rows = rows,
                   .columns = columns, .epsilon = epsilon};
  parallel(ceil_div(rows, TASK_ROWS), norm_task, &n);
}

// With u the normalised row and g = dy gain: dx = rstd (g - mean(g) - u mean(g u)).
static void norm_grad_task(void *context, long task) {
  const struct norm *n = context;
  const long last = min_long(n->rows, (task + 1) * TASK_ROWS);
  const float scale = 1.0f / (float)n->columns;
  float *dgain = n->partial + task * 2 * n->columns;
  float *dbias = dgain + n->columns;
  memset(dgain, 0, (size_t)(2 * n->columns) * sizeof(float));
  for (long row = task * TASK_ROWS; row < last; row++) {
    const float *x = n->x + row * n->columns;
    const float *dy = n->dy + row * n->columns;
    const float *addend = n->addend ? n->addend + row * n->columns : NULL;
    float *dx = n->y + row * n->columns;
    const float mean = n->mean[row], rstd = n->rstd[row];
    vec sum = {0}, products = {0};
    FOR_COLUMNS {
      const vec d = AT(dy), unit = (AT(x) - mean) * rstd, g = d * AT(n->gain);
      sum += g;
      products += g * unit;
      PUT(dgain, AT(dgain) + d * unit);
      PUT(dbias, AT(dbias) + d);
    }
    const float g_mean = sum_lanes(sum) * scale, product_mean = sum_lanes(products) * scale;
    FOR_COLUMNS {
      const vec unit = (AT(x) - mean) * rstd;
      const vec d = rstd * (AT(dy) * AT(n->gain) - g_mean - unit * product_mean);
      PUT(dx, addend ? AT(addend) + d : d);
    }
  }
}

// The addend [rows, columns], which is added to dx, and dbias may be NULL.
EXPORT void layer_norm_grad(const float *dy, const float *x, const float *gain, float *mean, float *rstd,
                            const float *addend, float *dx, float *dgain, float *dbias, int rows, int columns) {
  const long tasks = ceil_div(rows, TASK_ROWS);
  // The sums of all tasks, and after them those of dgain and dbias together.
  float *partial = scratch(SCRATCH_LOCAL, (size_t)((tasks + 1) * 2 * columns) + 1);
  struct norm n = {.x = x, .gain = gain, .dy = dy, .addend = addend, .y = dx, .mean = mean, .rstd = rstd,
                   .partial = partial, .rows = rows, .columns = columns};
  parallel(tasks, norm_grad_task, &n);
  float *total = partial + tasks * 2 * columns;
  sum_rows(partial, tasks, 2L * columns, total);
  memcpy(dgain, total, (size_t)columns * sizeof(float));
  if (dbias) memcpy(dbias, total + columns, (size_t)columns * sizeof(float));
}
