// Operations that others are put together from; each is described where it is defined.
#pragma once

#include "native.h"

EXPORT void linear(const float *x, const float *w, const float *bias, float *y, int rows, int in, int out);
EXPORT void linear_grad(const float *dy, const float *x, const float *w, float *dx, float *dw, float *db, int rows, int in,
                        int out);
EXPORT void layer_norm(const float *x, const float *gain, const float *bias, float *y, float *mean, float *rstd, int rows,
                       int columns, float epsilon);
EXPORT void layer_norm_grad(const float *dy, const float *x, const float *gain, float *mean, float *rstd,
                            const float *addend, float *dx, float *dgain, float *dbias, int rows, int columns);
EXPORT void attention(const float *qkv, float *out, float *log_sums, int batch, int tokens, int heads, int width);
EXPORT void attention_grad(const float *dy, const float *qkv, const float *log_sums, float *dqkv, int batch, int tokens,
                           int heads, int width);
EXPORT void unary_gelu(const float *x, float *y, int count, float alpha);
EXPORT void gelu_grad(const float *dy, const float *x, float *dx, int count);
