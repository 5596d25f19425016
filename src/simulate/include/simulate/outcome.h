// What became of one policy: the figures that both reports show.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulate/placing.h"
#include "simulate/spread.h"

struct audience;

enum { OUTCOME_TOP = 10 };

struct balance {
    uint64_t *videos, *viewers; // of each reader that lives
    uint32_t *number;           // which one that is, from 1
    size_t readers;
    struct spread of_videos, of_viewers;
};

struct outcome {
    enum placement_policy policy;
    struct balance before;
    uint32_t (*top)[OUTCOME_TOP]; // of each reader, its most popular videos; as many as it has, up to that
    // When a reader dies
    bool loses;
    struct placing_load moved;
    struct balance after;
};

// lose: the number of the reader that dies, from 1; 0: none.
void outcome_init(struct outcome *, enum placement_policy, const struct audience *, size_t readers,
                  size_t lose);
void outcome_release(struct outcome *);

// Returns how many of `top` a reader has. index: in `before`.
size_t outcome_top_count(const struct outcome *, size_t index);
