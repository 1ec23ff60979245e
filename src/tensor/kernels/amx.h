// Large matrix products on the matrix unit of recent Intel processors (AMX), at the precision of float32.
#pragma once

#include "native.h"

// c = a b (+ bias), as `multiply` has it, by all threads, over the first numbers of the sum. Returns how many: all of them; or
// none, where there is no such unit or the product is too small to gain; or fewer, where a number is too large for it.
// Uses SCRATCH_LEFT, SCRATCH_RIGHT and SCRATCH_LOCAL.
long multiply_by_tiles(const struct product *p);
