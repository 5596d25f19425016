// How many viewers may leave by now: a pace of so many a second, given out in whole viewers as time passes.
// What was not used is not saved up: after a pause no burst follows. Pure.
#pragma once

#include <stdint.h>

enum { MOVE_PACE_MOST_MS = 100 }; // what a pause gives

// Zero-initialise.
struct move_pace {
    int64_t at_ms;   // when it was asked last; 0: never
    double fraction; // of a viewer, that is left over
};

// Returns how many may leave since the last call.
uint32_t move_pace_take(struct move_pace *, double per_second, int64_t now_ms);

// Returns how many of those that may leave the first of `sharing` videos may let go; all, if none share.
static inline uint32_t move_pace_share(uint32_t left, uint32_t sharing) {
    return sharing ? (left + sharing - 1) / sharing : left;
}
