// A step of AdamW in one pass over the numbers.
#include "native.h"

struct adamw {
  const float *param, *grad, *m, *v;
  float *new_param, *new_m, *new_v;
  long count;
  float keep, step, root, beta1, beta2, rest1, rest2, epsilon;
};

static void adamw_task(void *context, long task) {
  const struct adamw *a = context;
  const long to = min_long(a->count, (task + 1) * CHUNK);
  for (long i = task * CHUNK; i < to; i++) {
    const float g = a->grad[i];
    const float m = a->beta1 * a->m[i] + a->rest1 * g;
    const float v = a->beta2 * a->v[i] + a->rest2 * g * g;
    a->new_m[i] = m;
    a->new_v[i] = v;
    a->new_param[i] = a->keep * a->param[i] - a->step * m / (__builtin_sqrtf(v) * a->root + a->epsilon);
  }
}

// The parameter and its averages after a step; the formula is that of the class AdamW.
EXPORT void adamw(const float *param, const float *grad, const float *m, const float *v, float *new_param, float *new_m,
                  float *new_v, int count, double learning_rate, double beta1, double beta2, double epsilon,
                  double weight_decay, double correction1, double correction2) {
  struct adamw a = {.param = param, .grad = grad, .m = m, .v = v, .new_param = new_param, .new_m = new_m, .new_v = new_v,
                    .count = count};
  a.keep = (float)(1 - learning_rate * weight_decay);
  a.step = (float)(learning_rate / correction1);
  a.root = 1.0f / __builtin_sqrtf((float)correction2);
  a.beta1 = (float)beta1;
  a.rest1 = (float)(1 - beta1);
  a.beta2 = (float)beta2;
  a.rest2 = (float)(1 - beta2);
  a.epsilon = (float)epsilon;
  parallel(ceil_div(count, CHUNK), adamw_task, &a);
}
