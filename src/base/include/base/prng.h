// Chance that can be repeated: the same seed gives the same numbers everywhere (splitmix64: Steele, Lea and
// Flood 2014). Not for secrets. One thread per struct.
#pragma once

#include <stdint.h>

struct prng {
    uint64_t state; // the seed at first
};

uint64_t prng_next(struct prng *);

// Returns 0 to below - 1; below > 0.
uint64_t prng_below(struct prng *, uint64_t below);

// Returns a number from 0 to less than 1.
double prng_unit(struct prng *);
