// The outcome of one policy: the figures that both reports show.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulate/placing.h"
#include "simulate/spread.h"

struct audience;

enum { OUTCOME_TOP = 10 };

struct balance {
    uint64_t *videos, *viewers; // of each live reader
    uint32_t *number;           // the reader's number, from 1
    size_t readers;
    struct spread of_videos, of_viewers;
};

struct outcome {
    enum placement_policy policy;
    struct balance before;
    uint32_t (*top)[OUTCOME_TOP]; // of each reader, its most popular videos; fewer if it has fewer
    // If a reader fails:
    bool loses;
    struct placing_load moved;
    struct balance after;
};

// Places the audience. lose: the number of the reader that fails, from 1; 0: none.
void outcome_init(struct outcome *, enum placement_policy, const struct audience *, size_t readers,
                  size_t lose);
void outcome_release(struct outcome *);

// Returns the number of entries that a reader has in `top`. index: in `before`.
size_t outcome_top_count(const struct outcome *, size_t index);
