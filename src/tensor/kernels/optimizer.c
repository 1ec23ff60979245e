// A step of Adam or AdamW for all parameters in one pass over their numbers.
#include "native.h"

struct adam {
  int tensors, models, coupled;
  const double *addresses;  // of param, grad, m, v and of the new param, m, v, for each tensor
  const int32_t *sizes;     // numbers of each tensor
  const int32_t *decayed;   // whether each tensor decays
  const double *rates, *decays;  // of each model
  float root, beta1, beta2, rest1, rest2, epsilon;
  double correction1;
};

static float *tensor(const struct adam *a, long i, long which) { return (float *)(uintptr_t)a->addresses[7 * i + which]; }

static long chunks_of(const struct adam *a, long i) { return ceil_div(a->sizes[i], CHUNK); }

// Numbers [from, to) of a tensor, all of the same model.
static void update(const struct adam *a, long i, long model, long from, long to) {
  const float *param = tensor(a, i, 0), *grad = tensor(a, i, 1), *m = tensor(a, i, 2), *v = tensor(a, i, 3);
  float *new_param = tensor(a, i, 4), *new_m = tensor(a, i, 5), *new_v = tensor(a, i, 6);
  const double decay = a->decayed[i] ? a->decays[model] : 0;
  const float penalty = a->coupled ? (float)decay : 0, keep = a->coupled ? 1 : (float)(1 - a->rates[model] * decay);
  const float step = (float)(a->rates[model] / a->correction1);
  // The new numbers may lie where the old ones do, but not elsewhere among them.
#pragma GCC ivdep
  for (long k = from; k < to; k++) {
    const float g = grad[k] + penalty * param[k];
    const float mean = a->beta1 * m[k] + a->rest1 * g;
    const float square = a->beta2 * v[k] + a->rest2 * g * g;
    new_m[k] = mean;
    new_v[k] = square;
    new_param[k] = keep * param[k] - step * mean / (__builtin_sqrtf(square) * a->root + a->epsilon);
  }
}

static void adam_task(void *context, long task) {
  const struct adam *a = context;
  long i = 0;
  for (; task >= chunks_of(a, i); i++) task -= chunks_of(a, i);
  const long size = a->sizes[i] / a->models, end = min_long(a->sizes[i], (task + 1) * CHUNK);
  for (long k = task * CHUNK; k < end;) {
    const long model = k / size, to = min_long(end, (model + 1) * size);
    update(a, i, model, k, to);
    k = to;
  }
}

// Parameters and averages after a step; the formula is that of the class AdamW. Tensors are [models, ...].
EXPORT void adam(int tensors, int models, const double *addresses, const int32_t *sizes, const int32_t *decayed,
                 const double *rates, const double *decays, int coupled, double beta1, double beta2, double epsilon,
                 double correction1, double correction2) {
  struct adam a = {.tensors = tensors, .models = models, .coupled = coupled, .addresses = addresses, .sizes = sizes,
                   .decayed = decayed, .rates = rates, .decays = decays, .correction1 = correction1};
  a.root = 1.0f / __builtin_sqrtf((float)correction2);
  a.beta1 = (float)beta1;
  a.rest1 = (float)(1 - beta1);
  a.beta2 = (float)beta2;
  a.rest2 = (float)(1 - beta2);
  a.epsilon = (float)epsilon;
  long tasks = 0;
  for (int i = 0; i < tensors; i++) tasks += chunks_of(&a, i);
  parallel(tasks, adam_task, &a);
}
