// A pseudo-random number generator: the same seed gives the same numbers on every machine (splitmix64:
// Steele, Lea and Flood 2014). Not for secrets. One thread per struct.
#pragma once

#include <stdint.h>

struct prng {
    uint64_t state; // initially the seed
};

// Returns a number from 0 to below - 1; below > 0.
uint64_t prng_below(struct prng *, uint64_t below);

// Returns a number from 0 to less than 1.
double prng_unit(struct prng *);
