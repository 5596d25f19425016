// The random numbers of the whole test, from one seed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"

extern struct prng differ_dice;

static inline uint64_t dice(uint64_t below) {
    return prng_below(&differ_dice, below);
}

// Returns true once in `times` on average.
static inline bool dice_one_in(uint64_t times) {
    return dice(times) == 0;
}
