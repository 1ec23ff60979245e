// Losses, accuracies and gradients of a population of networks, each on images of its own.
#include "population.h"
#include "tile.h"
#include "vmath.h"

// Images whose gradients are summed as one task: the sums do not depend on who computes them.
enum { IMAGES = 32, SCORED_IMAGES = 256 };

// The population, as both functions below are given it.
struct population {
  struct network network;
  long models, batch, classes;
  const float *images;      // [N, height, width, channels]
  const int32_t *labels;    // [N]; NULL: none are given
  const float *dlogits;     // [models, batch, classes], of a function of the logits; NULL: of the cross-entropy
  const int32_t *order;     // [models, batch]: which images; NULL: the first ones, for every model
  const double *weights;    // addresses of filter [models, O, C, kh, kw] and bias [models, O], of one layer after the other
  const float *dropout;     // rate of each model, or NULL
  const int32_t *seeds;     // of its masks
  long start;               // position of the first image in its epoch, which the masks derive from too
  long chunk, chunks;
  lanes *sums;              // by task
  float *losses, *correct;  // by task, [LANES]
};

static void *address(const double *table, long i) { return (void *)(uintptr_t)table[i]; }

// Where each packed number of a filter lies in [O, C, kh, kw]; `turned` for the product that gives the input's gradient.
static void packing_order(const struct layer *l, int turned, int32_t *order) {
  const long outputs = turned ? l->channels : l->filters, inputs = turned ? l->filters : l->channels;
  const long height = l->filter_height, width = l->filter_width;
  for (long first = 0; first < outputs; first += FILTERS)
    for (long y = 0; y < height; y++)
      for (long x = 0; x < width; x++)
        for (long in = 0; in < inputs; in++)
          for (long out = first; out < min_long(first + FILTERS, outputs); out++) {
            const long filter = turned ? in : out, channel = turned ? out : in;
            const long ky = turned ? height - 1 - y : y, kx = turned ? width - 1 - x : x;
            *order++ = (int32_t)(((filter * l->channels + channel) * height + ky) * width + kx);
          }
}

// `orders` has room for twice the parameters.
static void describe(struct network *n, const int32_t *layers, int depth) {
  memset(n, 0, sizeof *n);
  n->depth = depth;
  memcpy(n->layers, layers, (size_t)depth * sizeof(struct layer));
  const struct layer *first = n->layers;
  long inputs = (long)first->height * first->width * first->channels, conv = 0, dz = 0;
  n->widest = inputs;
  for (int i = 0; i < depth; i++) {
    const struct layer *l = &n->layers[i];
    const long margin = (long)(l->filter_width - 1) * l->filters, size = output_size(l);
    n->weights[i + 1] = n->weights[i] + filter_size(l) + l->filters;
    n->inputs[i + 1] = inputs;
    n->hidden[i] = inputs + size;
    inputs += l->activation == GELU ? 2 * size : size;
    n->maxima[i] = n->places;
    if (l->pool) n->places += size;
    if (size > n->widest) n->widest = size;
    const long rows = 2 * conv_width(l) * l->filters, gradient = conv_height(l) * (conv_width(l) * l->filters + 2 * margin);
    if (rows > conv) conv = rows;
    if (gradient > dz) dz = gradient;
  }
  n->activations = inputs;
  n->gradients = n->widest + dz;
  n->scratch = inputs + conv + n->places;
}

static void pack_orders(struct network *n, int32_t *order, int32_t *turned) {
  n->order = order;
  n->turned = turned;
  for (int i = 0; i < n->depth; i++) {
    packing_order(&n->layers[i], 0, order + n->weights[i]);
    packing_order(&n->layers[i], 1, turned + n->weights[i]);
  }
}

// The model of a lane; the last one's again in lanes that have none.
static long model_of(const struct population *p, long group, long lane) { return min_long(group * LANES + lane, p->models - 1); }

static void pack_filters(const struct population *p, long group, const int32_t *order, int biases, lanes *packed) {
  const struct network *n = &p->network;
  for (int i = 0; i < n->depth; i++) {
    const struct layer *l = &n->layers[i];
    const long size = filter_size(l);
    const float *filters[LANES], *bias[LANES];
    for (long lane = 0; lane < LANES; lane++) {
      const long model = model_of(p, group, lane);
      filters[lane] = (float *)address(p->weights, 2 * i) + model * size;
      bias[lane] = (float *)address(p->weights, 2 * i + 1) + model * l->filters;
    }
    lanes *to = packed + n->weights[i];
    for (long k = 0; k < size; k++)
      for (long lane = 0; lane < LANES; lane++) to[k][lane] = filters[lane][order[n->weights[i] + k]];
    for (long o = 0; biases && o < l->filters; o++)
      for (long lane = 0; lane < LANES; lane++) to[size + o][lane] = bias[lane][o];
  }
}

static void pack_image(const struct population *p, long group, long image, lanes *x, ilanes *label) {
  const struct layer *first = p->network.layers;
  const long size = (long)first->height * first->width * first->channels;
  if (!p->order) {
    for (long k = 0; k < size; k++) x[k] = splat(p->images[image * size + k]);
    *label = (ilanes){0} + (p->labels ? p->labels[image] : 0);
    return;
  }
  const float *from[LANES];
  for (long lane = 0; lane < LANES; lane++) {
    const long at = p->order[model_of(p, group, lane) * p->batch + image];
    from[lane] = p->images + at * size;
    (*label)[lane] = p->labels[at];
  }
  long k = 0;
  for (; k + LANES <= size; k += LANES) {
    vec square[LANES];
#pragma GCC unroll 16
    for (long lane = 0; lane < LANES; lane++) square[lane] = load(from[lane] + k);
    transpose_square(square);
#pragma GCC unroll 16
    for (long i = 0; i < LANES; i++) x[k + i] = square[i];
  }
  for (; k < size; k++)
    for (long lane = 0; lane < LANES; lane++) x[k][lane] = from[lane][k];
}

// Cross-entropy of the logits, in whose place come the probabilities minus one at the label.
static lanes cross_entropy(lanes *logits, long classes, ilanes label) {
  lanes most = logits[0], sum = {0}, picked = {0};
  for (long c = 1; c < classes; c++) most = max_vec(logits[c], most);
  for (long c = 0; c < classes; c++) {
    const lanes z = logits[c] - most;
    picked = choose(label == (int32_t)c, z, picked);
    logits[c] = exp_vec(z);
    sum += logits[c];
  }
  for (long c = 0; c < classes; c++) logits[c] = logits[c] / sum - choose(label == (int32_t)c, splat(1), splat(0));
  return log_vec(sum) - picked;
}

// 1 where the largest of the logits, the first of equals, is the label's, else 0.
static lanes is_right(const lanes *logits, long classes, ilanes label) {
  ilanes guess = {0};
  lanes most = logits[0];
  for (long c = 1; c < classes; c++) {
    const ilanes more = logits[c] > most;
    most = choose(more, logits[c], most);
    guess = (ilanes)choose(more, (vec)(guess * 0 + (int32_t)c), (vec)guess);
  }
  return choose(guess == label, splat(1), splat(0));
}

static struct dropout dropout_of(const struct population *p, long group, long image) {
  struct dropout d = {0};
  if (!p->dropout) return d;
  for (long lane = 0; lane < LANES; lane++) {
    const long model = model_of(p, group, lane);
    d.rate[lane] = p->dropout[model];
    d.seed[lane] = (uint32_t)p->seeds[model];
  }
  d.seed += (uint32_t)(p->start + image) * 0x9e3779b9u;
  return d;
}

static void gradient_task(void *context, long task) {
  const struct population *p = context;
  const struct network *n = &p->network;
  const long group = task / p->chunks, from = task % p->chunks * p->chunk, to = min_long(p->batch, from + p->chunk);
  const long parameters = n->weights[n->depth];
  lanes *weights = (lanes *)scratch(SCRATCH_LEFT, (size_t)(2 * parameters) * LANES), *turned = weights + parameters;
  lanes *activations = (lanes *)scratch(SCRATCH_LOCAL, (size_t)(n->scratch + n->widest + n->gradients) * LANES);
  ilanes *places = (ilanes *)(activations + n->scratch - n->places);
  lanes *dlogits = activations + n->scratch, *work = dlogits + n->widest;
  pack_filters(p, group, n->order, 1, weights);
  pack_filters(p, group, n->turned, 0, turned);
  lanes *sums = p->sums + task * parameters, loss = {0}, correct = {0};
  memset(sums, 0, (size_t)parameters * sizeof(lanes));
  for (long image = from; image < to; image++) {
    ilanes label;
    pack_image(p, group, image, activations, &label);
    const struct dropout dropout = dropout_of(p, group, image);
    network_forward(n, weights, &dropout, activations, places);
    if (p->dlogits) {
      for (long lane = 0; lane < LANES; lane++) {
        const float *given = p->dlogits + (model_of(p, group, lane) * p->batch + image) * p->classes;
        for (long c = 0; c < p->classes; c++) dlogits[c][lane] = given[c];
      }
    } else {
      memcpy(dlogits, activations + n->inputs[n->depth], (size_t)p->classes * sizeof(lanes));
      correct += is_right(dlogits, p->classes, label);
      loss += cross_entropy(dlogits, p->classes, label);
      for (long c = 0; c < p->classes; c++) dlogits[c] /= (float)p->batch;
    }
    network_backward(n, turned, &dropout, activations, places, dlogits, work, sums);
  }
  memcpy(p->losses + task * LANES, &loss, sizeof loss);
  memcpy(p->correct + task * LANES, &correct, sizeof correct);
}

struct unpacking {
  const struct population *population;
  const double *gradients;  // addresses, as the weights'
  float *losses, *correct;  // [models], or NULL
};

// Sums the tasks of a group of models, in their order, and unpacks the gradients.
static void unpack_task(void *context, long group) {
  const struct unpacking *u = context;
  const struct population *p = u->population;
  const struct network *n = &p->network;
  const long parameters = n->weights[n->depth], count = min_long(LANES, p->models - group * LANES);
  lanes *sums = p->sums + group * p->chunks * parameters;
  float *losses = p->losses + group * p->chunks * LANES, *correct = p->correct + group * p->chunks * LANES;
  for (long chunk = 1; chunk < p->chunks; chunk++) {
    for (long k = 0; k < parameters; k++) sums[k] += sums[chunk * parameters + k];
    for (long lane = 0; lane < LANES; lane++) {
      losses[lane] += losses[chunk * LANES + lane];
      correct[lane] += correct[chunk * LANES + lane];
    }
  }
  for (long lane = 0; lane < count; lane++) {
    const long model = group * LANES + lane;
    if (u->losses) u->losses[model] = losses[lane] / (float)p->batch;
    if (u->correct) u->correct[model] = correct[lane];
    for (int i = 0; i < n->depth; i++) {
      const struct layer *l = &n->layers[i];
      const long size = filter_size(l);
      const float *from = (float *)(sums + n->weights[i]) + lane;
      float *filter = (float *)address(u->gradients, 2 * i) + model * size;
      float *bias = (float *)address(u->gradients, 2 * i + 1) + model * l->filters;
      for (long k = 0; k < size; k++) filter[n->order[n->weights[i] + k]] = from[k * LANES];
      for (long o = 0; o < l->filters; o++) bias[o] = from[(size + o) * LANES];
    }
  }
}

// Gradients of a population that is not described yet; losses and right answers where they are not NULL.
static void sum_gradients(struct population *p, const int32_t *layers, int depth, float *losses, float *correct,
                          const double *gradients) {
  p->chunk = IMAGES;
  p->chunks = ceil_div(p->batch, IMAGES);
  describe(&p->network, layers, depth);
  p->classes = output_size(&p->network.layers[depth - 1]);
  const long groups = ceil_div(p->models, LANES), tasks = groups * p->chunks, parameters = p->network.weights[depth];
  int32_t *orders = (int32_t *)scratch(SCRATCH_RIGHT, (size_t)(2 * parameters));
  pack_orders(&p->network, orders, orders + parameters);
  p->sums = (lanes *)scratch(SCRATCH_PARTS, (size_t)(tasks * (parameters + 2) * LANES));
  p->losses = (float *)(p->sums + tasks * parameters);
  p->correct = p->losses + tasks * LANES;
  parallel(tasks, gradient_task, p);
  struct unpacking u = {.population = p, .gradients = gradients, .losses = losses, .correct = correct};
  parallel(groups, unpack_task, &u);
}

// Mean cross-entropy [models] of each model on its batch of images, how many of them it gets right, and its gradients.
EXPORT void population_gradients(const int32_t *layers, int depth, int models, int batch, const float *images,
                                 const int32_t *labels, const int32_t *order, const double *weights, const float *dropout,
                                 const int32_t *seeds, int start, float *losses, float *correct, const double *gradients) {
  struct population p = {.models = models, .batch = batch, .images = images, .labels = labels, .order = order,
                         .weights = weights, .dropout = dropout, .seeds = seeds, .start = start};
  sum_gradients(&p, layers, depth, losses, correct, gradients);
}

// Gradients of each model, given those of its logits for the first `count` images. Without dropout.
EXPORT void population_logits_grad(const int32_t *layers, int depth, int models, int count, const float *images,
                                   const double *weights, const float *dlogits, const double *gradients) {
  struct population p = {.models = models, .batch = count, .images = images, .weights = weights, .dlogits = dlogits};
  sum_gradients(&p, layers, depth, NULL, NULL, gradients);
}

struct logits {
  const struct population *population;
  float *values;  // [models, batch, classes]
};

static void logits_task(void *context, long task) {
  const struct logits *l = context;
  const struct population *p = l->population;
  const struct network *n = &p->network;
  const long group = task / p->chunks, from = task % p->chunks * p->chunk, to = min_long(p->batch, from + p->chunk);
  const long count = min_long(LANES, p->models - group * LANES);
  lanes *weights = (lanes *)scratch(SCRATCH_LEFT, (size_t)n->weights[n->depth] * LANES);
  lanes *activations = (lanes *)scratch(SCRATCH_LOCAL, (size_t)n->scratch * LANES);
  ilanes *places = (ilanes *)(activations + n->scratch - n->places);
  const lanes *logits = activations + n->inputs[n->depth];
  pack_filters(p, group, n->order, 1, weights);
  for (long image = from; image < to; image++) {
    ilanes label;
    pack_image(p, group, image, activations, &label);
    network_forward(n, weights, NULL, activations, places);
    for (long lane = 0; lane < count; lane++) {
      float *row = l->values + ((group * LANES + lane) * p->batch + image) * p->classes;
      for (long c = 0; c < p->classes; c++) row[c] = logits[c][lane];
    }
  }
}

// Logits [models, count, classes] of each model for the first `count` images. Without dropout.
EXPORT void population_logits(const int32_t *layers, int depth, int models, int count, const float *images,
                              const double *weights, float *logits) {
  struct population p = {.models = models, .batch = count, .images = images, .weights = weights, .chunk = IMAGES,
                         .chunks = ceil_div(count, IMAGES)};
  describe(&p.network, layers, depth);
  for (int i = 0; i < depth; i++) p.network.layers[i].dropout = 0;
  p.classes = output_size(&p.network.layers[depth - 1]);
  const long groups = ceil_div(models, LANES), parameters = p.network.weights[depth];
  int32_t *orders = (int32_t *)scratch(SCRATCH_RIGHT, (size_t)(2 * parameters));
  pack_orders(&p.network, orders, orders + parameters);
  struct logits l = {.population = &p, .values = logits};
  parallel(groups * p.chunks, logits_task, &l);
}

static void score_task(void *context, long task) {
  const struct population *p = context;
  const struct network *n = &p->network;
  const long group = task / p->chunks, from = task % p->chunks * p->chunk, to = min_long(p->batch, from + p->chunk);
  lanes *weights = (lanes *)scratch(SCRATCH_LEFT, (size_t)n->weights[n->depth] * LANES);
  lanes *activations = (lanes *)scratch(SCRATCH_LOCAL, (size_t)n->scratch * LANES);
  ilanes *places = (ilanes *)(activations + n->scratch - n->places);
  lanes *logits = activations + n->inputs[n->depth], loss = {0}, correct = {0};
  pack_filters(p, group, n->order, 1, weights);
  for (long image = from; image < to; image++) {
    ilanes label;
    pack_image(p, group, image, activations, &label);
    network_forward(n, weights, NULL, activations, places);
    correct += is_right(logits, p->classes, label);
    loss += cross_entropy(logits, p->classes, label);
  }
  memcpy(p->losses + task * LANES, &loss, sizeof loss);
  memcpy(p->correct + task * LANES, &correct, sizeof correct);
}

// Mean cross-entropy and share of right answers, both [models], of each model on the first `count` images. Without dropout.
EXPORT void population_scores(const int32_t *layers, int depth, int models, int count, const float *images,
                              const int32_t *labels, const double *weights, float *losses, float *accuracies) {
  struct population p = {.models = models, .batch = count, .images = images, .labels = labels, .weights = weights,
                         .chunk = SCORED_IMAGES, .chunks = ceil_div(count, SCORED_IMAGES)};
  describe(&p.network, layers, depth);
  for (int i = 0; i < depth; i++) p.network.layers[i].dropout = 0;
  p.classes = output_size(&p.network.layers[depth - 1]);
  const long groups = ceil_div(models, LANES), tasks = groups * p.chunks, parameters = p.network.weights[depth];
  int32_t *orders = (int32_t *)scratch(SCRATCH_RIGHT, (size_t)(2 * parameters));
  pack_orders(&p.network, orders, orders + parameters);
  p.losses = scratch(SCRATCH_PARTS, (size_t)(2 * tasks * LANES));
  p.correct = p.losses + tasks * LANES;
  parallel(tasks, score_task, &p);
  for (long model = 0; model < models; model++) {
    const long first = model / LANES * p.chunks * LANES + model % LANES;
    double loss = 0, correct = 0;
    for (long chunk = 0; chunk < p.chunks; chunk++) {
      loss += (double)p.losses[first + chunk * LANES];
      correct += (double)p.correct[first + chunk * LANES];
    }
    losses[model] = (float)(loss / count);
    accuracies[model] = (float)(correct / count);
  }
}
