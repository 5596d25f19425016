// How many reactions of each kind there were: a sum over a second. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "service/reactions_topic.h"

struct reaction_sum {
    char kind[REACTION_KIND_MAX + 1];
    uint32_t count;
};

// Zero-initialise.
struct reaction_sums {
    unsigned kinds;
    struct reaction_sum of[REACTION_KINDS];
};

// Adds reactions of a kind, which is an id. Beyond REACTION_KINDS another kind is not counted.
void reaction_sums_add(struct reaction_sums *, const char *kind, size_t len, uint32_t count);

// Orders them by count, the highest first, those with the same count by kind.
void reaction_sums_sort(struct reaction_sums *);
