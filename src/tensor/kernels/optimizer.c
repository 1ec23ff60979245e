// A step of an optimiser for all parameters in one pass over their numbers. Tensors are [models, ...].
#include "native.h"

struct step {
  int tensors, models;
  int kinds;                // addresses of each tensor
  const double *addresses;  // of param, grad, the averages, the new param and the new averages, for each tensor
  const int32_t *sizes;     // numbers of each tensor
  const int32_t *decayed;   // whether each tensor decays
  const double *rates, *decays;  // of each model
  // Moves the numbers [from, to) of a tensor, all of the same model.
  void (*update)(const struct step *s, long i, long model, long from, long to);
  int coupled;
  float root, beta1, beta2, rest1, rest2, epsilon;
  double correction1;
};

static float *tensor(const struct step *s, long i, long which) { return (float *)(uintptr_t)s->addresses[s->kinds * i + which]; }

static long chunks_of(const struct step *s, long i) { return ceil_div(s->sizes[i], CHUNK); }

static void step_task(void *context, long task) {
  const struct step *s = context;
  long i = 0;
  for (; task >= chunks_of(s, i); i++) task -= chunks_of(s, i);
  const long size = s->sizes[i] / s->models, end = min_long(s->sizes[i], (task + 1) * CHUNK);
  for (long k = task * CHUNK; k < end;) {
    const long model = k / size, to = min_long(end, (model + 1) * size);
    s->update(s, i, model, k, to);
    k = to;
  }
}

static void take_step(const struct step *s) {
  long tasks = 0;
  for (int i = 0; i < s->tensors; i++) tasks += chunks_of(s, i);
  parallel(tasks, step_task, (void *)s);
}

static void update_adam(const struct step *s, long i, long model, long from, long to) {
  const float *param = tensor(s, i, 0), *grad = tensor(s, i, 1), *m = tensor(s, i, 2), *v = tensor(s, i, 3);
  float *new_param = tensor(s, i, 4), *new_m = tensor(s, i, 5), *new_v = tensor(s, i, 6);
  const double decay = s->decayed[i] ? s->decays[model] : 0;
  const float penalty = s->coupled ? (float)decay : 0, keep = s->coupled ? 1 : (float)(1 - s->rates[model] * decay);
  const float step = (float)(s->rates[model] / s->correction1);
  // The new numbers may lie where the old ones do, but not elsewhere among them.
#pragma GCC ivdep
  for (long k = from; k < to; k++) {
    const float g = grad[k] + penalty * param[k];
    const float mean = s->beta1 * m[k] + s->rest1 * g;
    const float square = s->beta2 * v[k] + s->rest2 * g * g;
    new_m[k] = mean;
    new_v[k] = square;
    new_param[k] = keep * param[k] - step * mean / (__builtin_sqrtf(square) * s->root + s->epsilon);
  }
}

// The formula is that of the class AdamW.
EXPORT void adam(int tensors, int models, const double *addresses, const int32_t *sizes, const int32_t *decayed,
                 const double *rates, const double *decays, int coupled, double beta1, double beta2, double epsilon,
                 double correction1, double correction2) {
  take_step(&(struct step){.tensors = tensors, .models = models, .kinds = 7, .addresses = addresses, .sizes = sizes,
                           .decayed = decayed, .rates = rates, .decays = decays, .update = update_adam, .coupled = coupled,
                           .correction1 = correction1, .root = 1.0f / __builtin_sqrtf((float)correction2),
                           .beta1 = (float)beta1, .rest1 = (float)(1 - beta1), .beta2 = (float)beta2,
                           .rest2 = (float)(1 - beta2), .epsilon = (float)epsilon});
}

// Every product is rounded, as it is where plain operations compute the step: networks that were trained so come out the same.
#ifndef __clang__
__attribute__((optimize("fp-contract=off")))
#endif
static void update_sgd(const struct step *s, long i, long model, long from, long to) {
#ifdef __clang__
#pragma clang fp contract(off)
#endif
  const float *param = tensor(s, i, 0), *grad = tensor(s, i, 1), *velocity = tensor(s, i, 2);
  float *new_param = tensor(s, i, 3), *new_velocity = tensor(s, i, 4);
  const float decay = s->decayed[i] ? (float)s->decays[model] : 0, rate = (float)s->rates[model], momentum = s->beta1;
#pragma GCC ivdep
  for (long k = from; k < to; k++) {
    const float next = velocity[k] * momentum + (grad[k] + param[k] * decay);
    new_velocity[k] = next;
    new_param[k] = param[k] - next * rate;
  }
}

// The formula is that of the class Sgd, with momentum.
EXPORT void sgd(int tensors, int models, const double *addresses, const int32_t *sizes, const int32_t *decayed, const double *rates,
                const double *decays, double momentum) {
  take_step(&(struct step){.tensors = tensors, .models = models, .kinds = 5, .addresses = addresses, .sizes = sizes,
                           .decayed = decayed, .rates = rates, .decays = decays, .update = update_sgd, .beta1 = (float)momentum});
}
