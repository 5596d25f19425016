// How often which value came, in fixed memory (8 KiB): exact below 64, above that each octave in 32 steps, so
// that a percentile is at most 3 percent too high. Meant for microseconds; what is above
// HISTOGRAM_LARGEST (19 hours) counts as that. Not shared between threads: one each, merged at the end.
#pragma once

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 1024 };
#define HISTOGRAM_LARGEST ((INT64_C(1) << 36) - 1)

// Zero-initialise.
struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t count;
    int64_t largest; // seen
};

// Negative values count as 0.
void histogram_add(struct histogram *, int64_t value);

// Returns the smallest value that `percent` (0 to 100) of all are not above; 0 if there are none.
int64_t histogram_percentile(const struct histogram *, double percent);

// Adds all of `other`.
void histogram_merge(struct histogram *, const struct histogram *other);
