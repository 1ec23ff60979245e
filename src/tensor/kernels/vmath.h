// Functions of vectors, within a few units in the last place of float32. NaN and the infinities go through as they should.
#pragma once

#include "native.h"

// 2^n for n in [-126, 127].
INLINE vec power_of_two(ivec n) { return (vec)((n + 127) << 23); }

INLINE vec abs_vec(vec x) { return (vec)((ivec)x & 0x7fffffff); }

INLINE vec with_sign_of(vec magnitude, vec x) { return (vec)((ivec)magnitude | ((ivec)x & INT32_MIN)); }

// Splits x = n ln 2 + r with |r| <= ln 2 / 2.
INLINE ivec split_by_ln2(vec x, vec *r) {
  // Adding 1.5 * 2^23 rounds to a whole number, which then is in the lowest bits.
  const float shift = 12582912.0f;
  const vec t = x * 1.44269504f + shift;
  const vec n = t - shift;
  // ln 2 in two parts, of which the first has so few digits that its product with n is exact.
  *r = x - n * 0.693359375f - n * -2.12194440e-4f;
  return (ivec)t - (ivec)splat(shift);
}

// (e^r - 1) / r by its Taylor series, for |r| <= ln 2 / 2.
INLINE vec exp_series(vec r) {
  vec p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  return p * r + 1.0f;
}

INLINE vec exp_vec(vec x) {
  x = choose(x < -104.0f, splat(-104.0f), x);
  x = choose(x > 89.0f, splat(89.0f), x);
  vec r;
  const ivec n = split_by_ln2(x, &r);
  // In two factors, which reach the denormal numbers and infinity.
  const ivec half = n >> 1;
  return (exp_series(r) * r + 1.0f) * power_of_two(half) * power_of_two(n - half);
}

// 2^x for x that is not much above 0, as softmax and the normal distribution have it; no less than 2^-126. The polynomial interpolates 2^r at the Chebyshev
// nodes of |r| <= 1/2, with a relative error below 1e-8.
INLINE vec exp2_vec(vec x) {
  x = choose(x < -126.0f, splat(-126.0f), x);
  const float shift = 12582912.0f;
  const vec t = x + shift, r = x - (t - shift);
  vec p = r * 1.54614449e-4f + 1.3400428e-3f;
  p = p * r + 9.61805694e-3f;
  p = p * r + 5.55032715e-2f;
  p = p * r + 0.240226507f;
  p = p * r + 0.693147182f;
  return (p * r + 1.0f) * (vec)(((ivec)t << 23) + (ivec)splat(1.0f));
}

// tanh x = (e^2x - 1) / (e^2x + 1) without cancellation near 0.
INLINE vec tanh_vec(vec x) {
  vec a = abs_vec(x);
  a = choose(a > 10.0f, splat(10.0f), a);
  vec r;
  const vec scale = power_of_two(split_by_ln2(2.0f * a, &r));
  const vec t = scale * (exp_series(r) * r) + (scale - 1.0f);  // e^2a - 1
  return with_sign_of(t / (t + 2.0f), x);
}

INLINE vec sigmoid_vec(vec x) { return 1.0f / (1.0f + exp_vec(-x)); }

// Natural logarithm: that of the exponent and, as 2 artanh(f / (2 + f)), of the mantissa 1 + f in [sqrt 1/2, sqrt 2).
INLINE vec log_vec(vec x) {
  const ivec tiny = x < 1.17549435e-38f;
  const vec scaled = choose(tiny, x * 16777216.0f, x);
  const ivec bits = (ivec)scaled - 0x3f3504f3;  // sqrt 1/2
  const ivec exponent = bits >> 23;
  const vec f = (vec)((ivec)scaled - (exponent << 23)) - 1.0f;
  const vec e = __builtin_convertvector(exponent - (tiny & 24), vec);
  const vec s = f / (2.0f + f);
  const vec s2 = s * s;
  const vec series = s2 * (1.0f / 3 + s2 * (1.0f / 5 + s2 * (1.0f / 7 + s2 * (1.0f / 9))));
  // 2 s = f - s f: the larger part is exact.
  const vec mantissa = f - s * (f - 2.0f * series);
  vec y = e * 0.693359375f + (e * -2.12194440e-4f + mantissa);
  y = choose(x == 0.0f, splat(-__builtin_inff()), y);
  y = choose(x < 0.0f, splat(__builtin_nanf("")), y);
  return choose((x == __builtin_inff()) | (x != x), x, y);
}

// erfc(x) for x >= 0, given e^(-x^2): in t = 1 / (1 + x / 2), erfc(x) e^(x^2) / t is nearly a polynomial. Its coefficients
// interpolate it at the Chebyshev nodes of x in [0, 15], with a relative error below 1e-7.
INLINE vec erfc_with(vec x, vec exp_minus_square) {
  const vec t = 1.0f / (1.0f + 0.5f * x);
  vec p = t * -0.0607700758f + 0.292430818f;
  p = p * t - 0.502442598f;
  p = p * t + 0.294211268f;
  p = p * t - 0.0367741808f;
  p = p * t + 0.206540257f;
  p = p * t + 0.242245644f;
  p = p * t + 0.282477379f;
  p = p * t + 0.282081455f;
  return t * p * exp_minus_square;
}

INLINE vec erf_vec(vec x) {
  const vec a = abs_vec(x);
  const vec far = 1.0f - erfc_with(choose(a > 15.0f, splat(15.0f), a), exp_vec(-a * a));
  // Near 0 the Taylor series, 2 / sqrt(pi) times the sum of (-1)^n x^(2n+1) / (n! (2n+1)).
  const vec z = a * a;
  vec p = z * (-1.0f / 75600) + 1.0f / 9360;
  p = p * z - 1.0f / 1320;
  p = p * z + 1.0f / 216;
  p = p * z - 1.0f / 42;
  p = p * z + 1.0f / 10;
  p = p * z - 1.0f / 3;
  const vec near = 1.12837917f * (a + a * z * p);
  return with_sign_of(choose(a < 0.8f, near, far), x);
}

// Phi(x), the distribution function of the standard normal; its density at x is stored too.
INLINE vec normal_cdf(vec x, vec *density) {
  vec a = abs_vec(x);
  a = choose(a > 20.0f, splat(20.0f), a);
  // e^(-a^2 / 2), which is 0 where 2^x ends.
  const vec e = choose(a < 13.2f, exp2_vec(a * a * -0.721347520f), splat(0));
  *density = 0.398942280f * e;
  const vec upper = 0.5f * erfc_with(0.707106781f * a, e);
  return choose(x > 0.0f, 1.0f - upper, upper);
}
