// Durations, counted in a few buckets, each twice as wide as the one before: for histograms of Prometheus,
// whose buckets have to be the same everywhere. Not shared between threads.
#pragma once

#include <stdint.h>

// Those up to 0.25 ms, up to 0.5 ms ... up to 16.384 s, and longer ones.
enum { DURATION_STEPS = 17, DURATION_FIRST_US = 250 };

// Zero-initialise.
struct durations {
    uint64_t within[DURATION_STEPS + 1];
    uint64_t sum_us;
};

static inline int64_t duration_step_us(unsigned step) {
    return (int64_t)DURATION_FIRST_US << step;
}

// A negative one counts as 0.
static inline void durations_add(struct durations *d, int64_t us) {
    if (us < 0) us = 0;
    unsigned step = 0;
    while (step < DURATION_STEPS && us > duration_step_us(step)) step++;
    d->within[step]++;
    d->sum_us += (uint64_t)us;
}
