// Networks of a population, a model in each lane of the vectors: however few channels a layer has its arithmetic fills the
// vectors, and the numbers of one model never depend on the others.
#pragma once

#include "native.h"

typedef float lanes __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef int32_t ilanes __attribute__((vector_size(VECTOR_BYTES), may_alias));
typedef uint32_t ulanes __attribute__((vector_size(VECTOR_BYTES), may_alias));

enum activation { NONE, TANH, RELU, SIGMOID, GELU };

// A valid convolution of stride 1, then 2x2 maximum pooling or none, an activation and dropout or none. A dense layer is a
// convolution whose filter is as large as its input.
struct layer {
  int32_t height, width, channels, filters, filter_height, filter_width, pool, activation, dropout;
};

enum { MAX_DEPTH = 32 };

// Layers in their order and where, counted in vectors, what belongs to each lies.
struct network {
  int depth;
  struct layer layers[MAX_DEPTH];
  long weights[MAX_DEPTH + 1];  // of the filter in the packed parameters; its bias follows it
  long inputs[MAX_DEPTH + 1];   // of the layer's input among the activations; the last are the logits
  long hidden[MAX_DEPTH];       // of the input of a GELU among those
  long maxima[MAX_DEPTH];       // of the place of each window's maximum
  long activations, places;    // how many
  long scratch;                // activations, rows of a convolution and places together
  long widest, gradients;      // the largest activation; the memory that network_backward works in
  // For each packed number of a filter where it lies in PyTorch's [O, C, kh, kw]; and for the product that gives the input's
  // gradient, in which inputs and outputs have changed places.
  const int32_t *order, *turned;
};

// Dropout of each lane: its rate, and the number that its masks of this image derive from.
struct dropout {
  lanes rate;
  ulanes seed;
};

// Rows and columns of the convolution that anything depends on: pooling drops an odd last one.
INLINE long conv_height(const struct layer *l) {
  const long height = l->height - l->filter_height + 1;
  return l->pool ? height & ~1L : height;
}
INLINE long conv_width(const struct layer *l) {
  const long width = l->width - l->filter_width + 1;
  return l->pool ? width & ~1L : width;
}
INLINE long filter_size(const struct layer *l) {
  return (long)l->filters * l->channels * l->filter_height * l->filter_width;
}
INLINE long output_size(const struct layer *l) {
  return conv_height(l) * conv_width(l) / (l->pool ? 4 : 1) * l->filters;
}

// The filters that are computed together; the last ones may be fewer.
enum { FILTERS = 4 };

// Logits of one image for each lane's model, whose input lies at the head of `activations`.
void network_forward(const struct network *n, const lanes *weights, const struct dropout *dropout, lanes *activations,
                     ilanes *places);

// Adds the gradients of all parameters to `sums`, laid out as the weights, given that of the logits at `dlogits`, which
// has room for the largest activation. `turned` holds the filters in the order of that name; `work` has room for n->gradients.
void network_backward(const struct network *n, const lanes *turned, const struct dropout *dropout, const lanes *activations,
                      const ilanes *places, lanes *dlogits, lanes *work, lanes *sums);
