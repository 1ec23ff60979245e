// Large matrix products on the matrix unit of recent Intel processors (AMX), at the precision of float32.
#pragma once

#include "native.h"

// c = a b (+ bias), as `multiply` has it, by all threads; 0, and nothing done, where there is no such unit, where the product
// is too small to gain, or where a number is too large for it. Uses SCRATCH_LEFT, SCRATCH_RIGHT and SCRATCH_LOCAL.
int multiply_by_tiles(const struct product *p);
