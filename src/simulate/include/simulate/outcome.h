// The outcome of one policy: the figures that the reports show.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulate/evening.h"
#include "simulate/herd.h"
#include "simulate/placing.h"
#include "simulate/spread.h"

struct audience;

enum { OUTCOME_TOP = 10 };

// In place of the number of the reader that fails: the one with the most viewers.
#define OUTCOME_LOSE_BUSIEST SIZE_MAX

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
    uint32_t celebrity;           // the number of the reader with the most popular video
    struct evening evening;       // once there are sets, and readers are evened out
    // If a reader fails:
    bool loses;
    uint32_t lost; // its number
    struct placing_load moved;
    uint32_t celebrity_after;
    struct herd herd;
    struct balance after;
};

// Places the audience. lose: the number of the reader that fails, from 1, or OUTCOME_LOSE_BUSIEST; 0: none.
void outcome_init(struct outcome *, enum placement_policy, const struct audience *, size_t readers,
                  size_t lose, const struct evening_fleet *);
void outcome_release(struct outcome *);

// Returns the number of entries that a reader has in `top`. index: in `before`.
size_t outcome_top_count(const struct outcome *, size_t index);
