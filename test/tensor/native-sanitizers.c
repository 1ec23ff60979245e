// Calls the kernels of src/tensor/kernels on memory of exactly their sizes, for the compiler's sanitizers to watch.
#include <stdio.h>
#include <stdlib.h>

#include "conv.h"
#include "fused.h"

int set_threads(int count);
void batch_matmul(const float *, const float *, const float *, float *, const int32_t *, int, int, int, int, int, int);
void transformer_block(const float *, const float *, const float *, const float *, const float *, const float *, const float *, float *,
                       float *, int, int, int, int, int, float);
void transformer_block_grad(const float *, const float *, const float *, const float *, const float *, const float *, const float *,
                            const float *, float *, float *, float *, float *, float *, float *, float *, float *, float *, int, int,
                            int, int, int);
void batch_norm(const float *, const float *, const float *, const float *, float *, float *, float *, int, int, float, int);
void batch_norm_grad(const float *, const float *, const float *, const float *, const float *, const float *, float *, float *,
                     float *, float *, int, int, float, int);
void conv2d(const float *, const float *, const float *, float *, const struct geometry *);
void conv2d_filter_grad(const float *, const float *, float *, const struct geometry *);
void conv2d_input_grad(const float *, const float *, float *, const struct geometry *);
void conv2d_bias_grad(const float *, float *, const struct geometry *);
void max_pool(const float *, float *, const struct geometry *);
void max_pool_grad(const float *, const float *, float *, const struct geometry *);
void masked_squares(const float *, const float *, const float *, float *, int);
void masked_squares_grad(const float *, const float *, const float *, const float *, float *, int);
void binary_add(const float *, const float *, float *, const int32_t *, int, int);
void binary_greater(const float *, const float *, uint8_t *, const int32_t *, int, int);
void reduce(const float *, float *, int, int, int, float, int);
void softmax(const float *, float *, int, int);
void copy_strided(const void *, void *, const int32_t *, int, int);
int gather_rows(const float *, const int32_t *, float *, int, int, int);
void scatter_add_rows(const float *, const int32_t *, float *, int, int, int);
void adam(int, int, const double *, const int32_t *, const int32_t *, const double *, const double *, int, double, double, double,
          double, double);
void population_gradients(const int32_t *, int, int, int, const float *, const int32_t *, const int32_t *, const double *,
                          const float *, const int32_t *, int, float *, float *, const double *);
void population_scores(const int32_t *, int, int, int, const float *, const int32_t *, const double *, float *, float *);
void population_logits(const int32_t *, int, int, int, const float *, const double *, float *);
void population_logits_grad(const int32_t *, int, int, int, const float *, const double *, const float *, const double *);

static void *taken[64];
static int taken_count;

// Memory of `count` numbers, with numbers in it.
static float *numbers(long count) {
  float *x = malloc((size_t)count * sizeof(float));
  for (long i = 0; i < count; i++) x[i] = (float)(rand() % 2001 - 1000) / 1000;
  return taken[taken_count++] = x;
}

static int32_t *ids(int count, int below) {
  int32_t *x = malloc((size_t)count * sizeof(int32_t));
  for (int i = 0; i < count; i++) x[i] = rand() % below;
  return taken[taken_count++] = x;
}

static void give_back(void) {
  while (taken_count > 0) free(taken[--taken_count]);
}

// An odd number from `low` on.
static int odd(int low, int choices) { return low + 2 * (rand() % choices); }

static void products(void) {
  const int m = odd(1, 70), k = odd(1, 600), n = odd(1, 50), count = odd(1, 12);
  for (int side = 0; side < 4; side++) {
    int32_t *index = ids(2 * count, count);
    batch_matmul(numbers((long)count * m * k), numbers((long)count * k * n), numbers(n), numbers((long)count * m * n), index,
                 count, m, k, n, side & 1, side >> 1);
    give_back();
  }
  linear(numbers(m * k), numbers(n * k), numbers(n), numbers(m * n), m, k, n);
  linear_grad(numbers(m * n), numbers(m * k), numbers(n * k), numbers(m * k), numbers(n * k), numbers(n), m, k, n);
}

static void transformer(void) {
  const int rows = odd(1, 60), columns = odd(1, 60), batch = odd(1, 5), tokens = odd(1, 40), heads = odd(1, 3), width = odd(1, 20);
  const int size = rows * columns, log_sums = batch * heads * tokens, out = batch * tokens * heads * width;
  layer_norm(numbers(size), numbers(columns), numbers(columns), numbers(size), numbers(rows), numbers(rows), rows, columns, 1e-5f);
  layer_norm_grad(numbers(size), numbers(size), numbers(columns), numbers(rows), numbers(rows),
                  rand() % 2 ? numbers(size) : NULL, numbers(size), numbers(columns), numbers(columns), rows, columns);
  unary_gelu(numbers(size), numbers(size), size, 0);
  gelu_grad(numbers(size), numbers(size), numbers(size), size);
  masked_squares(numbers(size), numbers(size), numbers(size), numbers(1), size);
  masked_squares_grad(numbers(1), numbers(size), numbers(size), numbers(size), numbers(size), size);
  softmax(numbers(size), numbers(size), rows, columns);
  attention(numbers(3 * out), numbers(out), numbers(log_sums), batch, tokens, heads, width);
  attention_grad(numbers(out), numbers(3 * out), numbers(log_sums), numbers(3 * out), batch, tokens, heads, width);
}

static void transformer_blocks(void) {
  const int batch = odd(1, 5), tokens = odd(1, 40), heads = odd(1, 3), width = odd(1, 20);
  const int hidden = rand() % 4 ? odd(1, 60) : 1101;
  const int d = heads * width, rows = batch * tokens, x = rows * d, square = d * d, mlp = d * hidden;
  float *kept = numbers(rows * (7 * d + 2 * hidden + 4 + heads));
  transformer_block(numbers(x), numbers(d), numbers(3 * square), numbers(square), numbers(d), numbers(mlp), numbers(mlp), numbers(x),
                    kept, batch, tokens, heads, width, hidden, 1e-5f);
  transformer_block_grad(numbers(x), numbers(x), numbers(d), numbers(3 * square), numbers(square), numbers(d), numbers(mlp),
                         numbers(mlp), kept, numbers(rows * ((hidden > 3 * d ? hidden : 3 * d) + 2 * d)), numbers(x), numbers(d),
                         numbers(3 * square), numbers(square), numbers(d), numbers(mlp), numbers(mlp), batch, tokens, heads, width,
                         hidden);
}

static void norms(void) {
  const int rows = odd(3, 900), columns = odd(1, 40), size = rows * columns, residual = rand() % 2;
  batch_norm(numbers(size), numbers(columns), numbers(columns), residual ? numbers(size) : NULL, numbers(size), numbers(columns),
             numbers(columns), rows, columns, 1e-5f, rand() % 2);
  float *variance = numbers(columns);
  for (int i = 0; i < columns; i++) variance[i] = 1;
  batch_norm_grad(numbers(size), numbers(size), numbers(size), numbers(columns), numbers(columns), variance, numbers(size),
                  numbers(columns), numbers(columns), residual ? numbers(size) : NULL, rows, columns, 1e-5f, rand() % 2);
}

// Of these filters; the last window ends within the image or its padding.
static void images(struct geometry g) {
  g.batch = odd(1, 10);
  g.pad_top = rand() % (g.kernel_height + 1);
  g.pad_left = rand() % (g.kernel_width + 1);
  g.out_height = odd(1, 6);
  g.out_width = odd(1, 10);
  g.height = (g.out_height - 1) * g.stride_height + g.kernel_height - g.pad_top + rand() % 2;
  g.width = (g.out_width - 1) * g.stride_width + g.kernel_width - g.pad_left + rand() % 2;
  if (g.height < 1) g.height = 1;
  if (g.width < 1) g.width = 1;
  const long x = g.batch * image_size(&g), w = patch_size(&g) * g.filters, y = g.batch * positions(&g) * g.filters;
  const long pooled = g.batch * positions(&g) * g.channels;
  conv2d(numbers(x), numbers(w), numbers(g.filters), numbers(y), &g);
  conv2d_filter_grad(numbers(y), numbers(x), numbers(w), &g);
  conv2d_input_grad(numbers(y), numbers(w), numbers(x), &g);
  conv2d_bias_grad(numbers(y), numbers(g.filters), &g);
  max_pool(numbers(x), numbers(pooled), &g);
  max_pool_grad(numbers(pooled), numbers(x), numbers(x), &g);
}

static void optimizers(void) {
  enum { TENSORS = 3 };
  const int models = odd(1, 10);
  double addresses[7 * TENSORS], rates[19] = {0}, decays[19] = {0};
  int32_t sizes[TENSORS], decayed[TENSORS];
  for (int i = 0; i < TENSORS; i++) {
    sizes[i] = models * odd(1, 2000);
    decayed[i] = i & 1;
    for (int k = 0; k < 7; k++) addresses[7 * i + k] = (double)(uintptr_t)numbers(sizes[i]);
  }
  adam(TENSORS, models, addresses, sizes, decayed, rates, decays, rand() & 1, 0.9, 0.999, 1e-8, 0.1, 0.1);
}

// Networks of two convolutions and a dense layer.
static void populations(void) {
  enum { LAYERS = 3, N = 5 };
  const int models = odd(1, 20), batch = odd(1, 20), channels = odd(1, 2), activation = rand() % 5;
  int height = odd(9, 4), width = odd(9, 4), inputs = channels;
  const int image = height * width * channels;
  int32_t layers[9 * LAYERS];
  double weights[2 * LAYERS], gradients[2 * LAYERS];
  for (int i = 0; i < LAYERS; i++) {
    const int high = i < 2 ? 1 + rand() % 3 : height, wide = i < 2 ? 1 + rand() % 3 : width, filters = 1 + rand() % 9;
    // Of a single row or column pooling leaves nothing.
    const int pool = i < 2 && height > high && width > wide && rand() % 2;
    const int32_t layer[] = {height, width, inputs, filters, high, wide, pool, activation, rand() % 2};
    memcpy(layers + 9 * i, layer, sizeof layer);
    const long size = (long)models * filters * inputs * high * wide;
    weights[2 * i] = (double)(uintptr_t)numbers(size);
    gradients[2 * i] = (double)(uintptr_t)numbers(size);
    weights[2 * i + 1] = (double)(uintptr_t)numbers(models * filters);
    gradients[2 * i + 1] = (double)(uintptr_t)numbers(models * filters);
    height = (height - high + 1) >> pool;
    width = (width - wide + 1) >> pool;
    inputs = filters;
  }
  float *x = numbers(N * image), *rates = numbers(models);
  for (int m = 0; m < models; m++) rates[m] = 0.25f;
  int32_t *labels = ids(N, inputs);
  population_gradients(layers, LAYERS, models, batch, x, labels, ids(models * batch, N), weights, rates, ids(models, 1000), 3,
                       numbers(models), numbers(models), gradients);
  population_scores(layers, LAYERS, models, N, x, labels, weights, numbers(models), numbers(models));
  float *logits = numbers(models * N * inputs);
  population_logits(layers, LAYERS, models, N, x, weights, logits);
  population_logits_grad(layers, LAYERS, models, N, x, weights, logits, gradients);
}

static void others(void) {
  const int a = odd(1, 100), b = odd(1, 300), table = odd(1, 10);
  const int32_t broadcast[] = {a, b, b, 1, 0, 1};
  binary_add(numbers(a * b), numbers(b), numbers(a * b), broadcast, 2, a * b);
  binary_greater(numbers(a * b), numbers(b), (uint8_t *)numbers(a * b / 4 + 1), broadcast, 2, a * b);
  const int32_t transposition[] = {b, a, 1, b, a, 1};
  copy_strided(numbers(a * b), numbers(a * b), transposition, 2, 4);
  for (int maximum = 0; maximum < 2; maximum++) {
    reduce(numbers(a * b), numbers(b), 1, a, b, 1, maximum);
    reduce(numbers(a * b), numbers(a), a, b, 1, 1, maximum);
    reduce(numbers(a * b), numbers(1), 1, a * b, 1, 1, maximum);
  }
  gather_rows(numbers(table * b), ids(a, table), numbers(a * b), a, b, table);
  scatter_add_rows(numbers(a * b), ids(a, table), numbers(table * b), a, b, table);
}

// Arguments: the random seed, the number of rounds.
int main(int count, char **arguments) {
  if (count != 3) return 2;
  srand((unsigned)atoi(arguments[1]));
  for (int round = 0; round < atoi(arguments[2]); round++) {
    set_threads(1 + round % 3);
    products();
    give_back();
    transformer();
    give_back();
    transformer_blocks();
    give_back();
    norms();
    give_back();
    images((struct geometry){.channels = odd(1, 10), .filters = odd(1, 25), .kernel_height = odd(1, 3), .kernel_width = odd(1, 3),
                             .stride_height = 1 + rand() % 2, .stride_width = 1 + rand() % 2});
    give_back();
    images((struct geometry){.channels = 16 * odd(1, 3), .filters = 16 * odd(1, 4), .kernel_height = 3, .kernel_width = 3,
                             .stride_height = 1, .stride_width = 1});
    give_back();
    others();
    give_back();
    optimizers();
    give_back();
    populations();
    give_back();
  }
  puts("clean");
  return 0;
}
