// Which seeds have hot videos, and which an operator. A hot video has more than its reader can do, as far as
// --max-viewers tells: so few are allowed that the crowd, most of which watches one video for a while and
// then another one, crosses the marks of a set in both directions. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hot_plan {
    bool sets;   // marks are low; else the usual ones, which nothing reaches
    bool orders; // an operator moves videos and drains readers
    unsigned viewers;
    unsigned most; // --max-viewers of a reader's process
    unsigned grow_ms, shrink_ms;
    unsigned turn_ms; // for so long a video is the one that most come to see
};

// Chance of its own: what else a seed does stays as it is.
struct hot_plan hot_plan(uint64_t seed);

// Whether two of three readers have room for all viewers.
bool hot_plan_may_drain(const struct hot_plan *);
