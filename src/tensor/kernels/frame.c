// Copies of images in a frame of zeros, so that every patch lies within one.
#include "conv.h"

struct framing {
  const float *x;
  float *copy;
  long height, width, channels;
  const struct frame *frame;
};

struct frame frame_of(const struct geometry *g) {
  return (struct frame){.height = (g->out_height - 1L) * g->stride_height + g->kernel_height,
                        .width = (g->out_width - 1L) * g->stride_width + g->kernel_width,
                        .top = g->pad_top, .left = g->pad_left};
}

static void frame_task(void *context, long image) {
  const struct framing *v = context;
  const struct frame *f = v->frame;
  const long c = v->channels;
  const float *from = v->x + image * v->height * v->width * c;
  float *to = v->copy + image * f->height * f->width * c;
  const long before = f->left * c, within = min_long(v->width, f->width - f->left) * c;
  const long after = f->width * c - before - within;
  for (long row = 0; row < f->height; row++, to += f->width * c) {
    const long y = row - f->top;
    if (y < 0 || y >= v->height) {
      memset(to, 0, (size_t)(f->width * c) * sizeof(float));
      continue;
    }
    memset(to, 0, (size_t)before * sizeof(float));
    memcpy(to + before, from + y * v->width * c, (size_t)within * sizeof(float));
    memset(to + before + within, 0, (size_t)after * sizeof(float));
  }
}

const float *framed(const float *x, long batch, long height, long width, long channels, const struct frame *frame) {
  if (frame->top == 0 && frame->left == 0 && frame->width == width && frame->height == height) return x;
  const long numbers = batch * frame->height * frame->width * channels;
  struct framing v = {x, scratch(SCRATCH_LEFT, (size_t)numbers + 1), height, width, channels, frame};
  parallel(batch, frame_task, &v);
  return v.copy;
}
