// The geometry of convolution and pooling, as TypeScript gives it. Images are [batch, height, width, channels].
#pragma once

#include "native.h"

struct geometry {
  int32_t batch, height, width, channels;
  int32_t out_height, out_width, filters;
  int32_t kernel_height, kernel_width;
  int32_t stride_height, stride_width, dilation_height, dilation_width;
  int32_t pad_top, pad_left;
};

INLINE long image_size(const struct geometry *g) { return (long)g->height * g->width * g->channels; }
INLINE long positions(const struct geometry *g) { return (long)g->out_height * g->out_width; }
INLINE long patch_size(const struct geometry *g) { return (long)g->kernel_height * g->kernel_width * g->channels; }
