// Repeatable random numbers: the seed is printed, and taken from CHORUS_TEST_SEED if that is set.
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

static uint64_t dice_state;

static inline void dice_begin(const char *test) {
    const char *wanted = getenv("CHORUS_TEST_SEED");
    dice_state = wanted ? strtoull(wanted, NULL, 10) : hash_random() % 1000000000;
    printf("%s: CHORUS_TEST_SEED=%" PRIu64 "\n", test, dice_state);
    fflush(stdout); // in case the program crashes
}

// Returns 0 to below - 1 (splitmix64).
static inline uint64_t dice(uint64_t below) {
    dice_state += 0x9e3779b97f4a7c15u;
    uint64_t z = dice_state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

// Returns true once in `n` times on average.
static inline bool dice_one_in(uint64_t times) {
    return dice(times) == 0;
}
