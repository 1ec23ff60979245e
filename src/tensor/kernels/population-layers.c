// The layers of a population's networks, forward and backward, for one image of each lane's model.
#include "population.h"
#include "vmath.h"

// Pixels, or numbers of a filter, that are computed together with FILTERS filters: as many as the registers hold.
enum { LARGEST_TILE = 6 };
#if VECTOR_BYTES == 64 || defined(__aarch64__)
enum { TILE = LARGEST_TILE };
#elif defined(__wasm__)
enum { TILE = 2 };
#else
enum { TILE = 3 };
#endif

// Otherwise compilers read a number from memory again for each product, more than the first-level cache can give.
INLINE lanes in_register(lanes x) {
#if defined(__x86_64__)
  __asm__("" : "+v"(x));
#elif defined(__aarch64__)
  __asm__("" : "+w"(x));
#endif
  return x;
}

// Calls f(..., tile, filters) with both as constants.
#define WITH_FILTERS(f, tile, filters, ...)     \
  switch (filters) {                            \
    case 1: f(__VA_ARGS__, tile, 1); break;     \
    case 2: f(__VA_ARGS__, tile, 2); break;     \
    case 3: f(__VA_ARGS__, tile, 3); break;     \
    default: f(__VA_ARGS__, tile, 4); break;    \
  }
#define WITH_TILE(f, tile, filters, ...)                         \
  switch (tile) {                                                \
    case 1: WITH_FILTERS(f, 1, filters, __VA_ARGS__) break;      \
    case 2: WITH_FILTERS(f, 2, filters, __VA_ARGS__) break;      \
    case 3: WITH_FILTERS(f, 3, filters, __VA_ARGS__) break;      \
    case 4: WITH_FILTERS(f, 4, filters, __VA_ARGS__) break;      \
    case 5: WITH_FILTERS(f, 5, filters, __VA_ARGS__) break;      \
    default: WITH_FILTERS(f, 6, filters, __VA_ARGS__) break;     \
  }

// A row of a convolution: `rows` rows of x, `x_row` apart, under as many rows of the filters, each `run` numbers long, after
// the first `skipped` ones.
struct row {
  const lanes *x;
  long x_row, channels, rows, run, skipped;
  const lanes *bias;  // or NULL
  lanes *y;
  long width, filters;
};

INLINE void row_tile(const struct row *r, const lanes *x, const lanes *w, const lanes *bias, lanes *y, const int pixels,
                     const int filters) {
  lanes sum[LARGEST_TILE][FILTERS];
#pragma GCC unroll 6
  for (int p = 0; p < pixels; p++)
#pragma GCC unroll 4
    for (int o = 0; o < filters; o++) sum[p][o] = bias ? bias[o] : (lanes){0};
  for (long row = 0; row < r->rows; row++) {
    const lanes *numbers = x + row * r->x_row;
    for (long t = 0; t < r->run; t++, numbers++, w += filters) {
      lanes number[LARGEST_TILE];
#pragma GCC unroll 6
      for (int p = 0; p < pixels; p++) number[p] = in_register(numbers[p * r->channels]);
#pragma GCC unroll 4
      for (int o = 0; o < filters; o++) {
        const lanes weight = in_register(w[o]);
#pragma GCC unroll 6
        for (int p = 0; p < pixels; p++) sum[p][o] += number[p] * weight;
      }
    }
  }
#pragma GCC unroll 6
  for (int p = 0; p < pixels; p++)
#pragma GCC unroll 4
    for (int o = 0; o < filters; o++) y[p * r->filters + o] = sum[p][o];
}

// The filters are in groups of FILTERS; each filter of a group has `step` numbers.
static void convolve_row(const struct row *r, const lanes *w, long step) {
  const long tiles = ceil_div(r->width, TILE);
  for (long o = 0; o < r->filters; o += FILTERS) {
    const long filters = min_long(FILTERS, r->filters - o);
    const lanes *bias = r->bias ? r->bias + o : NULL, *group = w + o * step + r->skipped * r->run * filters;
    for (long i = 0; i < tiles; i++) {
      const long first = r->width * i / tiles, pixels = r->width * (i + 1) / tiles - first;
      const lanes *x = r->x + first * r->channels;
      lanes *y = r->y + first * r->filters + o;
      WITH_TILE(row_tile, pixels, filters, r, x, group, bias, y)
    }
  }
}

INLINE lanes activate(lanes z, int activation) {
  vec density;
  switch (activation) {
    case TANH: return tanh_vec(z);
    case RELU: return max_vec(z, splat(0));
    case SIGMOID: return sigmoid_vec(z);
    case GELU: return z * normal_cdf(z, &density);
    default: return z;
  }
}

// The derivative, given the value y, or for a GELU its argument z.
INLINE lanes slope(lanes y, lanes z, int activation) {
  vec density;
  switch (activation) {
    case TANH: return 1.0f - y * y;
    case RELU: return choose(y > 0.0f, splat(1), splat(0));
    case SIGMOID: return y * (1.0f - y);
    case GELU: {
      const vec below = normal_cdf(z, &density);
      return below + z * density;
    }
    default: return splat(1);
  }
}

// A bijection of 32 bits that scatters them (the finaliser of MurmurHash3, Appleby 2011).
INLINE ulanes scatter(ulanes h) {
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  return h ^ (h >> 16);
}

// What number `index` of a layer's output is multiplied by: 0, or 1 / (1 - rate).
INLINE lanes dropout_factor(const struct dropout *d, int layer, long index) {
  const ulanes bits = scatter(scatter(d->seed ^ (uint32_t)layer) + (uint32_t)index * 0x9e3779b9u) >> 8;
  const lanes number = __builtin_convertvector((ilanes)bits, vec);
  return choose(number >= d->rate * 16777216.0f, 1.0f / (1.0f - d->rate), splat(0));
}

void network_forward(const struct network *n, const lanes *weights, const struct dropout *dropout, lanes *activations,
                     ilanes *places) {
  for (int i = 0; i < n->depth; i++) {
    const struct layer *l = &n->layers[i];
    const lanes *x = activations + n->inputs[i], *w = weights + n->weights[i];
    const long x_row = (long)l->width * l->channels, run = (long)l->filter_width * l->channels;
    const long rows = l->pool ? 2 : 1, width = conv_width(l), filters = l->filters, row = width * filters;
    lanes *y = activations + n->inputs[i + 1], *z = activations + n->hidden[i], *conv = activations + n->activations;
    ilanes *place = places + n->maxima[i];
    long index = 0;
    for (long top = 0; top < conv_height(l); top += rows) {
      for (long j = 0; j < rows; j++) {
        const struct row r = {.x = x + (top + j) * x_row, .x_row = x_row, .channels = l->channels, .rows = l->filter_height,
                              .run = run, .bias = w + filter_size(l), .y = conv + j * row, .width = width,
                              .filters = filters};
        convolve_row(&r, w, l->filter_height * run);
      }
      for (long p = 0; p < width; p += rows) {
        for (long o = 0; o < filters; o++, index++) {
          const lanes *window = conv + p * filters + o;
          lanes most = window[0];
          if (l->pool) {
            ilanes at = {0};
            const lanes others[] = {window[filters], window[row], window[row + filters]};
#pragma GCC unroll 3
            for (int k = 0; k < 3; k++) {
              const ilanes more = (others[k] > most) | (others[k] != others[k]);
              most = choose(more, others[k], most);
              at = (ilanes)choose(more, (vec)(at * 0 + k + 1), (vec)at);
            }
            place[index] = at;
          }
          if (l->activation == GELU) z[index] = most;
          most = activate(most, l->activation);
          if (l->dropout) most *= dropout_factor(dropout, i, index);
          y[index] = most;
        }
      }
    }
  }
}

// Numbers of a filter's gradient, from x under them and dz: `tile` numbers of one filter row, of `filters` filters.
struct filter_rows {
  long x_row, channels, dz_row, filters, rows, width;
};

INLINE void filter_tile(const struct filter_rows *f, const lanes *x, const lanes *dz, lanes *sums, const int tile,
                        const int filters) {
  lanes sum[LARGEST_TILE][FILTERS];
#pragma GCC unroll 6
  for (int t = 0; t < tile; t++)
#pragma GCC unroll 4
    for (int o = 0; o < filters; o++) sum[t][o] = sums[t * filters + o];
  for (long row = 0; row < f->rows; row++) {
    const lanes *numbers = x + row * f->x_row, *given = dz + row * f->dz_row;
    for (long p = 0; p < f->width; p++, numbers += f->channels, given += f->filters) {
      lanes number[LARGEST_TILE];
#pragma GCC unroll 6
      for (int t = 0; t < tile; t++) number[t] = in_register(numbers[t]);
#pragma GCC unroll 4
      for (int o = 0; o < filters; o++) {
        const lanes gradient = in_register(given[o]);
#pragma GCC unroll 6
        for (int t = 0; t < tile; t++) sum[t][o] += number[t] * gradient;
      }
    }
  }
#pragma GCC unroll 6
  for (int t = 0; t < tile; t++)
#pragma GCC unroll 4
    for (int o = 0; o < filters; o++) sums[t * filters + o] = sum[t][o];
}

// Adds a layer's gradient of its filter, given that of the convolution, whose rows have a margin of `margin` numbers.
static void filter_gradient(const struct layer *l, const lanes *x, const lanes *dz, long margin, lanes *sums) {
  const long x_row = (long)l->width * l->channels, run = (long)l->filter_width * l->channels, tiles = ceil_div(run, TILE);
  struct filter_rows f = {.x_row = x_row, .channels = l->channels, .dz_row = conv_width(l) * l->filters + 2 * margin,
                          .filters = l->filters, .width = conv_width(l)};
  // So many rows at once as stay in the first cache.
  const long band = 1 + 24 * 1024 / (f.dz_row * VECTOR_BYTES);
  for (long top = 0; top < conv_height(l); top += band) {
    f.rows = min_long(band, conv_height(l) - top);
    for (long o = 0; o < l->filters; o += FILTERS) {
      const long filters = min_long(FILTERS, l->filters - o);
      for (long ky = 0; ky < l->filter_height; ky++) {
        for (long i = 0; i < tiles; i++) {
          const long first = run * i / tiles, tile = run * (i + 1) / tiles - first;
          const lanes *numbers = x + (top + ky) * x_row + first, *given = dz + top * f.dz_row + margin + o;
          lanes *to = sums + (o * l->filter_height + ky * filters) * run + first * filters;
          WITH_TILE(filter_tile, tile, filters, &f, numbers, given, to)
        }
      }
    }
  }
}

// The gradient of the convolution and, added to `bias`, that of the bias, given that of the layer's output.
static void convolution_gradient(const struct network *n, int i, const struct dropout *dropout, const lanes *activations,
                                 const ilanes *places, const lanes *dy, long margin, lanes *dz, lanes *bias) {
  const struct layer *l = &n->layers[i];
  const lanes *y = activations + n->inputs[i + 1], *z = activations + n->hidden[i];
  const ilanes *place = places + n->maxima[i];
  const long rows = l->pool ? 2 : 1, width = conv_width(l), filters = l->filters, row = width * filters + 2 * margin;
  for (long top = 0, index = 0; top < conv_height(l); top += rows) {
    lanes *to = dz + top * row;
    for (long j = 0; j < rows; j++) {
      memset(to + j * row, 0, (size_t)margin * sizeof(lanes));
      memset(to + (j + 1) * row - margin, 0, (size_t)margin * sizeof(lanes));
    }
    to += margin;
    for (long p = 0; p < width; p += rows) {
      for (long o = 0; o < filters; o++, index++) {
        lanes given = dy[index], value = y[index];
        if (l->dropout) {
          // Where the output was not dropped, the activation's value is the output without the factor.
          given *= dropout_factor(dropout, i, index);
          value *= 1.0f - dropout->rate;
        }
        given *= slope(value, l->activation == GELU ? z[index] : value, l->activation);
        bias[o] += given;
        lanes *window = to + p * filters + o;
        if (l->pool) {
          const long others[] = {0, filters, row, row + filters};
#pragma GCC unroll 4
          for (int k = 0; k < 4; k++) window[others[k]] = choose(place[index] == k, given, splat(0));
        } else {
          window[0] = given;
        }
      }
    }
  }
}

void network_backward(const struct network *n, const lanes *turned, const struct dropout *dropout, const lanes *activations,
                      const ilanes *places, lanes *dlogits, lanes *work, lanes *sums) {
  lanes *dy = dlogits, *dx = work, *dz = work + n->widest;
  for (int i = n->depth - 1; i >= 0; i--) {
    const struct layer *l = &n->layers[i];
    // Zeros to the left and right of dz, so that every filter that reaches over the edge finds them.
    const long margin = i > 0 ? (long)(l->filter_width - 1) * l->filters : 0;
    lanes *filter = sums + n->weights[i];
    convolution_gradient(n, i, dropout, activations, places, dy, margin, dz, filter + filter_size(l));
    filter_gradient(l, activations + n->inputs[i], dz, margin, filter);
    if (i == 0) return;
    const long height = conv_height(l), row = conv_width(l) * l->filters + 2 * margin;
    const long run = (long)l->filter_width * l->filters;
    // Columns and rows that no filter reaches, since pooling dropped the last of an odd number, stay zero.
    const long reached = conv_width(l) + l->filter_width - 1;
    for (long y = 0; y < l->height; y++) {
      const long first = y < l->filter_height ? 0 : y - l->filter_height + 1, last = min_long(y, height - 1);
      lanes *to = dx + y * l->width * l->channels;
      const long written = last < first ? 0 : reached;
      memset(to + written * l->channels, 0, (size_t)((l->width - written) * l->channels) * sizeof(lanes));
      if (last < first) continue;
      const struct row r = {.x = dz + first * row, .x_row = row, .channels = l->filters, .rows = last - first + 1, .run = run,
                            .skipped = first + l->filter_height - 1 - y, .y = to, .width = reached, .filters = l->channels};
      convolve_row(&r, turned + n->weights[i], l->filter_height * run);
    }
    lanes *swap = dy;
    dy = dx;
    dx = swap;
  }
}
