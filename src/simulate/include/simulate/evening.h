// What becomes of a placement once hot videos get sets of readers, and readers are evened out, by the same
// functions as managers do both (placement/hot_set.h, placement/rebalance.h). The model: all viewers are
// there when the sets grow, which is the worst case, as new viewers go to the emptier readers by themselves.
// A viewer that has to move comes back to the reader that it would be sent to. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct placing;

struct evening_fleet {
    double cores; // of each reader
    uint64_t max_viewers;
    double comments; // a second in all, spread over the videos as viewers are
    uint64_t seed;
};

// The readers at one moment, and what it took to come there.
struct evening_step {
    double most_of_mean;      // viewers of the reader with the most, by those of the average reader
    double hottest;           // cores that the reader with the most load needs
    uint64_t videos, viewers; // that moved
};

struct evening {
    struct evening_step placed, with_sets, rebalanced;
    size_t sets, largest_set; // videos with more than one reader; the most readers of one
    uint64_t minutes;         // that rebalancing takes at its pace
    size_t readers;
    double *before, *after,
        *celebrity; // of each reader, in cores; the last: of the most popular video, after
};

// To be called before a reader fails.
void evening_init(struct evening *, const struct placing *, const struct evening_fleet *);
void evening_release(struct evening *);
